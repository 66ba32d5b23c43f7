// Strings are UTF-16 here and must be encoded for the host. The compiler adds
// the import `env.abort(message, file, line, column)`, both strings as pointers
// to UTF-16: few hosts need it and all must supply it.

@external("env", "add")
declare function add(a: i32, b: i32): i32;

@external("env", "log_utf8")
declare function logUtf8(ptr: usize, len: i32): void;

function log(text: string): void {
  const bytes = String.UTF8.encode(text);
  logUtf8(changetype<usize>(bytes), bytes.byteLength);
}

/** The sum of 1..=n, added up by the host; logs a line for each step. Aborts if n < 0. */
export function run(n: i32): i32 {
  assert(n >= 0, "n must not be negative");
  let total = 0;
  for (let i = 1; i <= n; i++) {
    total = add(total, i);
    log(`${i} → ${total}`);
  }
  return total;
}
