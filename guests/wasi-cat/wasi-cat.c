// A WASI command that touches arguments, environment, files and exit codes.
//
//   wasi-cat               copies standard input to standard output
//   wasi-cat WORD...       prints the words, joined by a space
//   wasi-cat --env NAME    prints the environment variable
//   wasi-cat --cat PATH    prints the file
//   wasi-cat --exit N      exits with code N
//
// Plain read and write instead of stdio keep the guest small.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_all(int fd, const char *ptr, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, ptr, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _Exit(74); // EX_IOERR of sysexits.h
        ptr += n;
        len -= (size_t)n;
    }
}

static void put(int fd, const char *text) { write_all(fd, text, strlen(text)); }

static int fail(const char *what, const char *name) {
    put(STDERR_FILENO, "wasi-cat: ");
    put(STDERR_FILENO, what);
    put(STDERR_FILENO, name);
    put(STDERR_FILENO, "\n");
    return 1;
}

static int copy(int from, const char *name) {
    static char buffer[4096];
    for (;;) {
        ssize_t n = read(from, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail("cannot read ", name);
        if (n == 0) return 0;
        write_all(STDOUT_FILENO, buffer, (size_t)n);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) return copy(STDIN_FILENO, "standard input");

    if (argc == 3 && strcmp(argv[1], "--exit") == 0) return atoi(argv[2]);

    if (argc == 3 && strcmp(argv[1], "--env") == 0) {
        const char *value = getenv(argv[2]);
        if (!value) return fail("not in the environment: ", argv[2]);
        put(STDOUT_FILENO, value);
        put(STDOUT_FILENO, "\n");
        return 0;
    }

    if (argc == 3 && strcmp(argv[1], "--cat") == 0) {
        int file = open(argv[2], O_RDONLY);
        if (file < 0) return fail("cannot open ", argv[2]);
        return copy(file, argv[2]);
    }

    for (int i = 1; i < argc; i++) {
        if (i > 1) put(STDOUT_FILENO, " ");
        put(STDOUT_FILENO, argv[i]);
    }
    put(STDOUT_FILENO, "\n");
    return 0;
}
