// Counts the views of pages, each under its path in the host's key-value store.

#include <stddef.h>
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("kv"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

enum { OK = 0, NOT_FOUND = 1, QUOTA_EXCEEDED = 2 };

// Fills the buffer with the value of a key, and says how long that is.
IMPORT("get")
int32_t kv_get(const char *key, size_t key_len, uint8_t *buffer, size_t size, uint32_t *length);
// Returns when the value is on disk.
IMPORT("put")
int32_t kv_put(const char *key, size_t key_len, const uint8_t *value, size_t length);
// Calls `visit` for each key, before it returns.
IMPORT("each") void kv_each(void);

struct Text {
    const char *ptr;
    size_t len;
};

static char response[1024];
static size_t written;

static void write(const char *text, size_t len) {
    if (len > sizeof response - written) __builtin_trap();
    __builtin_memcpy(response + written, text, len);
    written += len;
}

static void write_number(uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    write(digits + at, sizeof digits - at);
}

// What the host passes lies here until the call is over.
static _Alignas(8) uint8_t arena[1024];
static size_t used;

EXPORT("cabi_realloc")
void *cabi_realloc(void *old_ptr, size_t old_size, size_t align, size_t new_size) {
    // Nothing that the host has passed is ever grown.
    if (old_ptr || old_size || align > 8 || (align & (align - 1)) != 0) __builtin_trap();
    size_t start = (used + align - 1) & ~(align - 1);
    if (start > sizeof arena || new_size > sizeof arena - start) __builtin_trap();
    used = start + new_size;
    return arena + start;
}

// Counts a view of the page; the response is a status, the path, and the views.
EXPORT("handle") const struct Text *handle(const char *path, size_t len) {
    static struct Text text;
    uint64_t views = 0;
    uint32_t length = 0;
    int32_t error = kv_get(path, len, (uint8_t *)&views, sizeof views, &length);
    if (error == NOT_FOUND) error = OK; // the first view
    views++;
    if (error == OK) error = kv_put(path, len, (const uint8_t *)&views, sizeof views);

    written = 0;
    write(error == OK ? "200 " : error == QUOTA_EXCEEDED ? "507 " : "500 ", 4);
    write(path, len);
    if (error == OK) {
        write(" ", 1);
        write_number(views);
    }
    text = (struct Text){response, written};
    return &text;
}

EXPORT("cabi_post_handle") void cabi_post_handle(const struct Text *text) {
    (void)text;
    used = 0;
}

static uint64_t sum;

EXPORT("visit") void visit(const char *key, size_t key_len, const uint8_t *value, size_t length) {
    (void)key;
    (void)key_len;
    uint64_t views;
    if (length != sizeof views) __builtin_trap();
    __builtin_memcpy(&views, value, sizeof views);
    sum += views;
    used = 0;
}

// The views of all pages.
EXPORT("total") uint64_t total(void) {
    sum = 0;
    kv_each();
    return sum;
}
