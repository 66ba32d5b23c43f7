//! `#[hostcall(inline)]`: one source, a native form and a Wasm form that do the
//! same.

use hostcall::{Crossing, Error, Host, HostModule, HostState, Instance, Memory, host_module};

/// Counters that inline functions keep in the host page.
#[derive(Default, HostState)]
#[repr(C)]
struct Counters {
    hits: u64,
    misses: u32,
    last: i32,
}

/// A small direct-mapped cache.
#[derive(Default, HostState)]
#[repr(C)]
struct Cache {
    counters: Counters,
    keys: [u32; 16],
    values: [i64; 16],
    filled: [Slot; 4],
}

#[derive(Default, HostState)]
#[repr(C)]
struct Slot {
    weight: f64,
    uses: [u16; 4],
}

enum Color {
    Red,
    Green = 5,
}

const PRIME: u64 = 0x0000_0100_0000_01b3;

#[derive(Default)]
struct App {
    slow_calls: u32,
}

#[host_module(name = "env")]
impl App {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

    /// The nearest number in a range.
    #[hostcall(inline)]
    fn clamp(x: i32, low: i32, high: i32) -> i32 {
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    }

    /// The finaliser of a 64-bit hash.
    #[hostcall(inline)]
    fn mix64(mut h: u64) -> u64 {
        h ^= h >> 33;
        h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
        h ^= h >> 33;
        h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    }

    #[hostcall(inline)]
    fn gcd(mut a: u32, mut b: u32) -> u32 {
        while b != 0 {
            let rest = a % b;
            a = b;
            b = rest;
        }
        a
    }

    #[hostcall(inline)]
    fn saturating(count: u8, by: u8) -> u8 {
        if count > u8::MAX - by {
            return u8::MAX;
        }
        count + by
    }

    #[hostcall(inline)]
    fn isqrt(n: u32) -> u32 {
        let mut low: u32 = 0;
        let mut high: u32 = 65_536;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if u64::from(middle) * u64::from(middle) <= u64::from(n) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    #[hostcall(inline)]
    fn parity(x: u64) -> bool {
        x.count_ones() % 2 == 1
    }

    /// Steps until 1, or -1 if that takes more than `limit`.
    #[hostcall(inline)]
    fn collatz(start: u32, limit: i32) -> i32 {
        assert!(start > 0, "collatz starts above zero");
        let mut n = start as u64;
        let mut steps = 0;
        let found = 'search: loop {
            if n == 1 {
                break true;
            }
            if steps >= limit {
                break 'search false;
            }
            steps += 1;
            if n & 1 == 0 {
                n >>= 1;
                continue;
            }
            n = 3 * n + 1;
        };
        if found { steps } else { -1 }
    }

    #[hostcall(inline)]
    fn lerp(a: f64, b: f64, t: f64) -> f64 {
        a + (b - a) * t
    }

    #[hostcall(inline)]
    fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
        let t = ((x - low) / (high - low)).max(0.0).min(1.0);
        t * t * (3.0 - 2.0 * t)
    }

    #[hostcall(inline)]
    fn next_power_of_two(n: u32) -> u32 {
        if n <= 1 {
            1
        } else {
            let shift = 32 - (n - 1).leading_zeros();
            1 << shift
        }
    }

    #[hostcall(inline)]
    fn reverse_bits(mut x: u32) -> u32 {
        x = (x >> 1) & 0x5555_5555 | (x & 0x5555_5555) << 1;
        x = (x >> 2) & 0x3333_3333 | (x & 0x3333_3333) << 2;
        x = (x >> 4) & 0x0f0f_0f0f | (x & 0x0f0f_0f0f) << 4;
        x.swap_bytes()
    }

    /// A case of an enum is a constant.
    #[hostcall(inline)]
    fn color(x: u32) -> u8 {
        if x == Color::Red as u32 {
            b'r'
        } else if x == Color::Green as u32 {
            b'g'
        } else {
            300_u32 as u8
        }
    }

    #[hostcall(inline)]
    fn is_leap(year: i32) -> bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    #[hostcall(inline)]
    fn sign_of_zero(x: f64) -> i32 {
        if x.to_bits() == 0 {
            1
        } else if x.to_bits() == (-0.0_f64).to_bits() {
            -1
        } else {
            0
        }
    }

    /// The next float above `x`, by its bits.
    #[hostcall(inline)]
    fn next_up(x: f32) -> f32 {
        if x.is_nan() || x == f32::INFINITY {
            return x;
        }
        let bits = x.to_bits();
        let next = if bits << 1 == 0 {
            1
        } else if bits >> 31 == 0 {
            bits + 1
        } else {
            bits - 1
        };
        f32::from_bits(next)
    }

    #[hostcall(inline)]
    fn narrow(a: i8, b: u16, flag: bool) -> i16 {
        let mut sum = a as i16;
        if flag {
            sum -= 1;
        }
        sum + (b & 0x7f) as i16 + flag as i16
    }

    #[hostcall(inline)]
    fn late(x: i32) -> i32 {
        let result;
        if x > 0 {
            result = x * 2;
        } else {
            result = -x;
        }
        result
    }

    /// A later operand changes what the first one read.
    #[hostcall(inline)]
    fn order(mut x: i32) -> i32 {
        let before = x + {
            x = x.wrapping_add(7);
            x & 3
        };
        x += {
            x = 5;
            1
        };
        before ^ x
    }

    #[hostcall(inline)]
    fn fact(n: u32) -> u64 {
        let n = n & 0x1f;
        if n < 2 {
            1
        } else {
            n as u64 * Self::fact(n - 1)
        }
    }

    #[hostcall(inline)]
    fn even(n: u8) -> bool {
        n == 0 || Self::odd(n - 1)
    }

    #[hostcall(inline)]
    fn odd(n: u8) -> bool {
        n != 0 && Self::even(n - 1)
    }

    #[hostcall(inline, skip)]
    fn distance(a: i64, b: i64) -> i64 {
        (a - b).abs()
    }

    #[hostcall(inline)]
    fn manhattan(ax: i64, ay: i64, bx: i64, by: i64) -> i64 {
        Self::distance(ax, bx) + Self::distance(ay, by)
    }

    #[hostcall(inline)]
    fn nested_loops(n: u32) -> u32 {
        let mut found = 0;
        let mut i = 2;
        'outer: while i <= n & 0xff {
            let mut j = 2;
            while j * j <= i {
                if i % j == 0 {
                    i += 1;
                    continue 'outer;
                }
                j += 1;
            }
            found += 1;
            i += 1;
            if found > 30 {
                break 'outer;
            }
        }
        found
    }

    #[hostcall(inline)]
    fn checks(x: i32) -> i32 {
        if x < -1000 {
            panic!("far too small");
        }
        debug_assert!(x != 12345);
        x + 1
    }

    /// Copies words, aligned or not, and returns how many.
    #[hostcall(inline)]
    fn memcpy32(memory: &mut Memory<'_>, to: u32, from: u32, count: u32) -> u32 {
        let mut i = 0;
        while i < count & 0xff {
            let word = memory.load::<u32>(from + i * 4);
            memory.store(to + i * 4, word);
            i += 1;
        }
        i
    }

    #[hostcall(inline)]
    fn fnv(memory: &Memory<'_>, at: u32, length: u32) -> u64 {
        let mut hash = Self::OFFSET;
        let end = at + length;
        let mut at = at;
        while at < end {
            hash = (hash ^ memory.load::<u8>(at) as u64).wrapping_mul(PRIME);
            at += 1;
        }
        hash
    }

    #[hostcall(inline)]
    fn blank(memory: &mut Memory<'_>, at: u32, length: u32) -> u64 {
        memory.fill(at, b' ', length);
        memory.copy(at, 0, length.min(16));
        memory.size()
    }

    #[hostcall(inline)]
    fn count(counters: &mut Counters, by: i32) {
        counters.hits += 1;
        counters.last = by;
        if by < 0 {
            counters.misses = counters.misses.wrapping_add(1);
        }
    }

    #[hostcall(inline)]
    fn weigh(cache: &mut Cache, slot: u32, by: f64) -> f64 {
        // No NaN: its payload in the host page may be any.
        let by = if by.is_nan() {
            0.0
        } else {
            by.min(1e9).max(-1e9)
        };
        let at = slot as usize % cache.filled.len();
        cache.filled[at].weight += by;
        cache.filled[at].uses[(slot & 7) as usize] += 1;
        cache.filled[at].weight
    }

    /// A cache in front of a host function.
    #[hostcall(inline)]
    fn lookup(&mut self, cache: &mut Cache, key: u32) -> i64 {
        let slot = (key & 15) as usize;
        if cache.keys[slot] == key && key != 0 {
            cache.counters.hits += 1;
            return cache.values[slot];
        }
        cache.counters.misses += 1;
        let value = self.compute(key);
        cache.keys[slot] = key;
        cache.values[slot] = value;
        value
    }

    /// What the cache is for.
    fn compute(&mut self, key: u32) -> i64 {
        self.slow_calls += 1;
        i64::from(key) * 1000 + 7
    }

    #[hostcall(inline)]
    fn guarded(&mut self, x: i32) -> i32 {
        if x >= 0 { x } else { self.refused(x) + 1 }
    }

    fn refused(&mut self, x: i32) -> Result<i32, std::io::Error> {
        if x < -10 {
            return Err(std::io::Error::other("too cold"));
        }
        Ok(x)
    }

    #[hostcall(inline)]
    fn warn(&mut self, x: i32) {
        if x < 0 {
            self.noted(x);
        }
    }

    fn noted(&mut self, x: i32) {
        self.slow_calls = self.slow_calls.wrapping_add(x.unsigned_abs());
    }

    #[hostcall(inline)]
    fn only_return(x: i32) -> i32 {
        return x;
    }

    #[hostcall(inline)]
    fn both_return(x: i32) -> i32 {
        if x > 0 {
            return 1;
        } else {
            return -1;
        }
    }

    #[hostcall(inline)]
    fn returns_from_a_loop(x: u32) -> u32 {
        let mut n = x;
        loop {
            if n % 7 == 0 {
                return n;
            }
            n = n.wrapping_add(1);
        }
    }

    #[hostcall(inline)]
    fn leaves_within_operands(x: i32) -> i32 {
        let y = if x > 5 { x } else { return 7 };
        let z = y.wrapping_mul(if y == 9 { panic!("nine") } else { 3 });
        let b = z > 100 && { if z > 1000 { return z } else { z & 1 == 0 } };
        let w = loop {
            if b {
                break z / 2;
            }
            if z & 2 == 0 {
                break 5;
            }
            return 11;
        };
        w + 1
    }

    #[hostcall(inline)]
    fn factor_pairs(x: u32) -> u32 {
        let mut i = 0;
        let mut skipped = 0;
        let found = 'search: loop {
            i += 1;
            if i > 40 {
                break 0;
            }
            if i & x == i {
                skipped += 1;
                continue;
            }
            let mut j = 0;
            while j < i {
                j += 1;
                if j * i == x & 0x3f {
                    break 'search j;
                }
                if j == 13 {
                    continue 'search;
                }
            }
        };
        found * 1000 + skipped
    }

    #[hostcall(inline)]
    fn typed(a: u32, b: u32) -> u32 {
        const MASK: u32 = 0xff;
        use std::primitive::u32 as unsigned;
        let low = u32::min(a & MASK, 10 as unsigned);
        u32::rotate_left(low, 3) ^ u32::wrapping_mul(b, 0x9e37_79b9)
    }

    #[hostcall(inline)]
    fn order_of_traps(state: &mut Cache, i: u32, x: i32) -> i32 {
        state.values[i as usize % 20] = i64::from(x) + i64::MAX;
        state.keys[{
            state.counters.last += 1;
            state.counters.last as usize & 15
        }] += {
            state.counters.last = x & 7;
            1
        };
        state.values[(i & 15) as usize] += i64::from(x) << 3;
        state.counters.last
    }

    #[hostcall(inline)]
    fn unit_tail(&mut self, counters: &mut Counters, x: i32) {
        if x > 0 {
            counters.hits += 1
        } else if x == 0 {
            self.noted(3)
        } else {
            return;
        }
    }

    #[hostcall(inline)]
    fn unit_block(counters: &mut Counters, x: i32) {
        let y = {
            let x = x & 3;
            x + 1
        };
        {
            let y = 5;
            counters.last = y;
        }
        counters.hits += y as u64;
        while counters.misses < 10 {
            counters.misses += 1
        }
    }

    #[hostcall(inline)]
    fn floats(a: f64, b: f32) -> f64 {
        let c = -a + b as f64;
        let d = (c.abs().sqrt().floor() - a.trunc()).copysign(b as f64);
        let e = f64::from(b).max(d).min(a).ceil().round_ties_even();
        if e.is_nan() || !(a < e) {
            (a / 3.0).signum()
        } else {
            e * 1e3
        }
    }

    #[hostcall(inline)]
    fn casts(a: f64, b: i64, c: u8) -> i64 {
        (a as i8) as i64
            + (a as u32 as i64)
            + (b as i16 as i64)
            + (b as u8 as i64)
            + i64::from(c)
            + (c as i8 as i64)
            + ((c > 3) as i64)
            + (a as f32 as u16 as i64)
    }

    #[hostcall(inline)]
    fn narrow_all(a: u8, b: i8, c: u16, d: i16) -> u32 {
        let s = (a << (c & 7)) as u32 + ((b >> (c & 7)) as u8) as u32;
        let t =
            a.wrapping_mul(3).rotate_left(5).count_ones() + b.leading_zeros() + c.trailing_zeros();
        s ^ t
            ^ (d.wrapping_neg() as u16).swap_bytes() as u32
            ^ (!a) as u32
            ^ b.unsigned_abs() as u32
    }

    #[hostcall(inline)]
    fn divisions(a: i32, b: i32, c: u64, d: u64) -> i64 {
        let q =
            (a / b) as i64 + (a % b) as i64 + a.wrapping_div(b) as i64 + a.wrapping_rem(b) as i64;
        q ^ (c / d) as i64 ^ (c % d) as i64
    }

    #[hostcall(inline)]
    fn negations(a: i32, b: i64) -> i64 {
        let x = -a;
        let y = a.abs();
        (x - y) as i64 + -b.wrapping_abs().wrapping_shr(3)
    }

    #[hostcall(inline)]
    fn conditions(a: bool, b: bool, c: i32) -> bool {
        a & b | !a ^ (c > 3) && (b == a || c != 4) && a >= b
    }

    #[hostcall(inline)]
    fn memory_order(memory: &mut Memory<'_>, at: u32) -> i64 {
        let a = memory.load::<i8>(at & 0xffff) as i64 + memory.load::<i16>(at & 0xfff0) as i64;
        memory.store(at & 0xfff0, a as f32);
        let b: f64 = memory.load(at & 0xfff0);
        memory.store(at & 0xffff, at as u8);
        memory.copy(at & 0xffff, 8, 3);
        a + b.to_bits() as i64 % 1000 + memory.load::<u64>(u64::from(at & 0xffff)) as i64 % 1000
    }

    #[hostcall(inline)]
    fn sizes(state: &Cache, x: u32) -> u32 {
        let all = state.filled[1].uses.len() + state.keys.len();
        all as u32 + x % usize::BITS
    }
}

#[test]
fn all_forms_agree() {
    hostcall::testing::inline_functions_agree(App::default);
}

#[test]
fn they_are_functions_of_rust_too() {
    assert_eq!(App::clamp(9, 0, 5), 5);
    assert_eq!(App::gcd(48, 36), 12);
    assert_eq!(App::isqrt(99), 9);
    assert_eq!(App::collatz(27, 1000), 111);
    assert_eq!(App::reverse_bits(1), 1 << 31);
    assert_eq!(App::next_up(1.0), 1.0 + f32::EPSILON);
    assert_eq!(App::fact(5), 120);
    assert_eq!(App::order(1), 1 ^ 6);
    assert_eq!(App::manhattan(1, 2, 4, 6), 7);

    let mut bytes = *b"abcdefgh\0\0\0\0\0\0\0\0";
    let mut memory = Memory::new(&mut bytes);
    assert_eq!(App::memcpy32(&mut memory, 8, 0, 2), 2);
    assert_eq!(&bytes[8..], b"abcdefgh");
    assert_eq!(
        App::fnv(&Memory::new(&mut bytes), 0, 1),
        0xaf63_dc4c_8601_ec8c
    );

    let (mut app, mut cache) = (App::default(), Cache::default());
    assert_eq!(app.lookup(&mut cache, 3), 3007);
    assert_eq!(app.lookup(&mut cache, 3), 3007);
    assert_eq!((app.slow_calls, cache.counters.hits), (1, 1));
}

#[test]
#[should_panic(expected = "attempt to add with overflow")]
fn natively_a_trap_is_a_panic() {
    let mut counters = Counters {
        hits: u64::MAX,
        ..Counters::default()
    };
    App::count(&mut counters, 1);
}

const GUEST: &str = r#"(module
    (import "env" "lookup" (func $lookup (param i32) (result i64)))
    (import "env" "late" (func $late (param i32) (result i32)))
    (import "env" "guarded" (func $guarded (param i32) (result i32)))
    (import "env" "checks" (func $checks (param i32) (result i32)))
    (func (export "lookup") (param i32) (result i64) (call $lookup (local.get 0)))
    (func (export "late") (param i32) (result i32) (call $late (local.get 0)))
    (func (export "guarded") (param i32) (result i32) (call $guarded (local.get 0)))
    (func (export "checks") (param i32) (result i32) (call $checks (local.get 0))))"#;

/// Runs a test with the bodies in the guest, and with calls of the native forms.
fn both(test: impl Fn(Instance<App>)) {
    for inlining in [true, false] {
        let mut host = Host::new();
        App::add_to_host(&mut host, |app| app);
        host.inlining(inlining);
        let program = host.program(GUEST.as_bytes()).unwrap();
        for import in &program.plan().imports {
            let (name, inline) = (&import.import.name, Some(Crossing::Inline));
            assert_eq!(import.crossing == inline, inlining, "{name}");
        }
        test(program.instantiate(App::default()).unwrap());
    }
}

fn call(instance: &mut Instance<App>, name: &str, x: i32) -> Result<i32, Error> {
    instance.export::<i32, i32>(name)?.call(instance, x)
}

#[test]
fn a_cache_in_the_guest_crosses_only_for_what_it_has_not() {
    both(|mut instance| {
        let lookup = instance.export::<u32, i64>("lookup").unwrap();
        for key in [3, 3, 19, 3, 3, 3] {
            let value = lookup.call(&mut instance, key).unwrap();
            assert_eq!(value, i64::from(key) * 1000 + 7);
        }
        assert_eq!(instance.state().slow_calls, 3);
        let cache = instance.host_state::<Cache>().unwrap();
        assert_eq!((cache.counters.hits, cache.counters.misses), (3, 3));
        assert_eq!(cache.keys[3], 3);
    });
}

#[test]
fn a_trap_says_what_went_wrong() {
    both(|mut instance| {
        for (name, argument, message) in [
            ("late", i32::MIN, "attempt to negate with overflow"),
            ("late", i32::MAX, "attempt to multiply with overflow"),
            ("checks", -1001, "far too small"),
        ] {
            let error = call(&mut instance, name, argument).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
        assert_eq!(call(&mut instance, "late", 4).unwrap(), 8);
    });
}

#[test]
fn the_error_of_a_slow_path_keeps_its_type() {
    both(|mut instance| {
        assert_eq!(call(&mut instance, "guarded", -9).unwrap(), -8);
        let error = call(&mut instance, "guarded", -11).unwrap_err();
        let source = error.downcast_ref::<std::io::Error>();
        assert_eq!(source.expect("it keeps its type").to_string(), "too cold");
    });
}
