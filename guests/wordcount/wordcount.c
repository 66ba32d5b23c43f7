// Counts the words of a text which the host hands over piece by piece.
//
// A word is a maximal run of ASCII letters, ASCII digits, apostrophes and bytes
// >= 0x80. So a word is valid UTF-8 whenever the text is.

#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("text"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

// Fills the buffer with the text's next bytes; returns how many, 0 at the end.
IMPORT("read") uint32_t text_read(uint8_t *ptr, uint32_t len);
// Pure. The hash is FNV-1a (64 bits) of the lowercased word.
IMPORT("is_stop_word") int32_t text_is_stop_word(uint64_t hash);
// Reports a word that is not a stop word, its ASCII letters lowercased.
IMPORT("word") void text_word(const uint8_t *ptr, uint32_t len);
// Reports how many bytes have been read in all.
IMPORT("progress") void text_progress(uint64_t bytes);

#define PAGE 65536u
#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static uint8_t chunk[65536];

// The rest of the memory holds the word that is cut by the end of a chunk. It
// is one buffer that grows at its end, so growing it never moves it.
extern uint8_t __heap_base[];

// The byte as it stands in a lowercased word; 0 if it does not belong to a word.
static uint8_t fold(uint8_t byte) {
    if (byte >= 'A' && byte <= 'Z') return byte + ('a' - 'A');
    if (byte >= 'a' && byte <= 'z') return byte;
    if (byte >= '0' && byte <= '9') return byte;
    return byte == '\'' || byte >= 0x80 ? byte : 0;
}

// Appends to the kept part of a word; returns its new length.
__attribute__((noinline)) static uint32_t keep(uint32_t kept, const uint8_t *ptr, uint32_t len) {
    // In 64 bits, since the end of a full memory does not fit into 32.
    uint64_t need = (uint64_t)(uintptr_t)__heap_base + kept + len;
    uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
    if (need > have) {
        uint32_t pages = (uint32_t)((need - have + PAGE - 1) / PAGE);
        if (__builtin_wasm_memory_grow(0, pages) == (__SIZE_TYPE__)-1) __builtin_trap();
    }
    __builtin_memcpy(__heap_base + kept, ptr, len);
    return kept + len;
}

__attribute__((noinline)) static void end_word(const uint8_t *ptr, uint32_t len, uint64_t hash) {
    if (!text_is_stop_word(hash)) text_word(ptr, len);
}

// Reads the whole text; returns the number of its words, stop words included.
EXPORT("count") uint64_t count(void) {
    uint64_t words = 0, bytes = 0, hash = FNV_OFFSET;
    uint32_t kept = 0;
    uint32_t len;

    while ((len = text_read(chunk, sizeof chunk)) != 0) {
        if (len > sizeof chunk) __builtin_trap();

        for (uint32_t at = 0; at < len; at++) {
            uint32_t start = at;
            uint8_t byte;
            // Lowercase in place: most words never leave the chunk.
            while (at < len && (byte = fold(chunk[at])) != 0) {
                chunk[at++] = byte;
                hash = (hash ^ byte) * FNV_PRIME;
            }
            uint32_t run = at - start;

            // A word that touches the chunk's end may go on in the next one.
            if (run != 0 && (kept != 0 || at == len)) kept = keep(kept, chunk + start, run);
            if (at == len || (run == 0 && kept == 0)) continue;

            if (kept != 0) end_word(__heap_base, kept, hash);
            else end_word(chunk + start, run, hash);
            words++;
            kept = 0;
            hash = FNV_OFFSET;
        }

        bytes += len;
        text_progress(bytes);
    }

    if (kept != 0) {
        end_word(__heap_base, kept, hash);
        words++;
    }
    return words;
}
