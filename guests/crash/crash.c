// Three frames deep, then a division by whatever the host says. Built with
// line tables, so that a backtrace can name file and line of each frame.

#include <stdint.h>

__attribute__((import_module("env"), import_name("check"))) int32_t env_check(int32_t n);

// Each caller adds something to the result: a call in tail position could be
// merged with its frame.
__attribute__((noinline)) static int32_t inner(int32_t n) {
    int32_t divisor = env_check(n);
    return 100 / divisor; // traps if the host returned 0
}

__attribute__((noinline)) static int32_t middle(int32_t n) {
    int32_t result = inner(n);
    return result + 1;
}

__attribute__((export_name("outer"))) int32_t outer(int32_t n) {
    int32_t result = middle(n);
    return result + 1;
}
