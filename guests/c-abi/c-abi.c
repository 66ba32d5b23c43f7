// Structs, strings, callbacks and results as a C compiler passes them.

#include <stddef.h>
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("geo"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

struct Point {
    int32_t x, y;
};

// result<u32, string> as the canonical ABI lays it out: 12 bytes, the case at
// offset 0, the payload at offset 4.
struct ParseResult {
    uint8_t is_err;
    union {
        uint32_t value;
        struct {
            const char *ptr;
            size_t len;
        } error;
    };
};
_Static_assert(sizeof(struct ParseResult) == 12, "size of result<u32, string>");
_Static_assert(offsetof(struct ParseResult, value) == 4, "payload of result<u32, string>");

// A struct by pointer, read and changed in place.
IMPORT("length") double geo_length(const struct Point *point);
IMPORT("move_by") void geo_move_by(struct Point *point, int32_t dx, int32_t dy);
// Two structs as arguments, flattened; the result through a return pointer.
IMPORT("midpoint") void geo_midpoint(struct Point *ret, int32_t ax, int32_t ay, int32_t bx, int32_t by);
// A NUL-terminated string; the result is its length in bytes.
IMPORT("name_len") uint32_t geo_name_len(const char *name);
// Calls back for each of 0..n. A C function pointer is an index into the table.
IMPORT("visit") void geo_visit(uint32_t n, void (*callback)(uint32_t));
// A result through a return pointer. The host allocates the error's text with
// cabi_realloc, that is, it calls the guest while the guest waits for it.
IMPORT("parse") void geo_parse(const char *ptr, size_t len, struct ParseResult *ret);

#define PAGE 65536u

extern uint8_t __heap_base[];
static size_t heap_end; // 0 until the first allocation

// A bump allocator: nothing is ever freed, only the last block grows in place.
EXPORT("cabi_realloc") void *cabi_realloc(void *old_ptr, size_t old_size, size_t align, size_t new_size) {
    if (align == 0 || (align & (align - 1)) != 0) __builtin_trap();
    if (new_size <= old_size && old_ptr) return old_ptr;
    if (new_size == 0) return (void *)align; // nothing to point at; only alignment and not being null matter
    if (heap_end == 0) heap_end = (size_t)__heap_base;

    int is_last = old_size != 0 && (size_t)old_ptr + old_size == heap_end;
    // In 64 bits, so that a huge size or alignment cannot wrap around.
    uint64_t start = is_last ? (size_t)old_ptr : ((uint64_t)heap_end + align - 1) & ~((uint64_t)align - 1);
    uint64_t end = start + new_size;
    uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
    // The last byte of a 4 GiB memory is left alone: its end has no address.
    if (end > UINT32_MAX) __builtin_trap();
    if (end > have && __builtin_wasm_memory_grow(0, (size_t)((end - have + PAGE - 1) / PAGE)) == (size_t)-1)
        __builtin_trap();
    heap_end = (size_t)end;
    if (!is_last && old_size != 0) __builtin_memcpy((void *)(size_t)start, old_ptr, old_size);
    return (void *)(size_t)start;
}

EXPORT("test_length") double test_length(int32_t x, int32_t y) {
    struct Point point = {x, y};
    return geo_length(&point);
}

// Two coordinates in one result, for tests with small ones.
static int32_t pack(const struct Point *point) { return point->x * 1000 + point->y; }

EXPORT("test_move") int32_t test_move(int32_t x, int32_t y, int32_t dx, int32_t dy) {
    struct Point point = {x, y};
    geo_move_by(&point, dx, dy);
    return pack(&point);
}

EXPORT("test_midpoint") int32_t test_midpoint(int32_t ax, int32_t ay, int32_t bx, int32_t by) {
    struct Point middle;
    geo_midpoint(&middle, ax, ay, bx, by);
    return pack(&middle);
}

EXPORT("test_name_len") uint32_t test_name_len(void) {
    return geo_name_len("Z\xc3\xbcrich"); // Zürich: 7 bytes, 6 characters
}

static uint32_t visited;

static void add_visited(uint32_t n) { visited += n; }

// The sum of the numbers that the callback was given.
EXPORT("test_visit") uint32_t test_visit(uint32_t n) {
    visited = 0;
    geo_visit(n, add_visited);
    return visited;
}

// The value, or minus the length of the error's text.
EXPORT("test_parse") int32_t test_parse(const char *ptr, size_t len) {
    struct ParseResult result;
    geo_parse(ptr, len, &result);
    return result.is_err ? -(int32_t)result.error.len : (int32_t)result.value;
}
