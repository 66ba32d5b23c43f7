//! Inline functions as nobody should write them: their forms agree. And hosts
//! that nobody should set up: they behave the same with inlining and without.

#![allow(unused, clippy::all, clippy::pedantic, reason = "odd on purpose")]

use hostcall::{Error, ErrorKind, Host, HostModule, HostState, Limits, Memory, Value, host_module};

#[derive(HostState)]
#[repr(C)]
struct Inner {
    a: [u8; 4],
    b: [i16; 2],
    c: f32,
    d: u32,
}
impl Default for Inner {
    fn default() -> Self {
        Inner {
            a: [1, 2, 3, 4],
            b: [-5, 6],
            c: -0.0,
            d: 7,
        }
    }
}
#[derive(HostState)]
#[repr(C)]
struct S {
    inner: [[Inner; 2]; 3],
    n: u64,
    t: [i64; 5],
    f: [f64; 2],
    i: i8,
    j: u8,
    k: i16,
    l: u32,
}
impl Default for S {
    fn default() -> Self {
        S {
            inner: std::array::from_fn(|_| std::array::from_fn(|_| Inner::default())),
            n: 3,
            t: [1, -2, 3, -4, i64::MIN],
            f: [0.5, f64::INFINITY],
            i: -128,
            j: 255,
            k: -32768,
            l: 4,
        }
    }
}
#[derive(Default, HostState)]
#[repr(C)]
struct Zst {
    z: [u64; 0],
}

const K: u32 = 7;
static ST: i64 = -9;
const NEG: i8 = -128;
mod m {
    pub const DEEP: f32 = 1e10;
    pub enum E {
        A = 3,
        B = -4,
    }
}

#[derive(Default)]
struct App {
    log: Vec<u64>,
}

#[host_module(name = "env")]
impl App {
    #[hostcall(inline)]
    fn o1(mut x: i8, y: i8) -> i8 {
        x /= y;
        x = x.wrapping_mul(y);
        x -= 1;
        x
    }
    #[hostcall(inline)]
    fn o2(x: i16, y: i16) -> i16 {
        (x % y) + {
            let x = y >> 3;
            x
        }
    }
    #[hostcall(inline)]
    fn o3(x: f32, y: f64) -> u8 {
        (x as u8) ^ (y as u8)
    }
    #[hostcall(inline)]
    fn o4(x: f64) -> i8 {
        x as i8
    }
    #[hostcall(inline)]
    fn o5(x: f64) -> i16 {
        -(x as i16)
    }
    #[hostcall(inline)]
    fn o6(x: f64, y: f64) -> bool {
        !(x < y) || x != x && y >= x
    }
    #[hostcall(inline)]
    fn o7(x: f32) -> f32 {
        -x + -0.0
    }
    #[hostcall(inline)]
    fn o8(x: f32) -> f32 {
        (-x).copysign(-0.0).signum()
    }
    #[hostcall(inline)]
    fn o9(s: &mut S, i: u64, v: i64) -> i64 {
        s.t[i as usize] += v;
        s.t[(i as usize).wrapping_add(1) % 5]
    }
    #[hostcall(inline)]
    fn o10(s: &mut S, i: u32) -> i64 {
        s.t[{
            s.l = (s.l + 1) % 5;
            s.l as usize
        }] -= {
            s.l = i % 5;
            i as i64
        };
        s.t[s.l as usize]
    }
    #[hostcall(inline)]
    fn o11(s: &mut S, i: u32, j: i32) -> f32 {
        s.inner[(i % 3) as usize][(i & 1) as usize].a[j as usize] = i as u8;
        s.inner[(i % 3) as usize][(i & 1) as usize].c += j as f32;
        s.inner[2][1].b[1] ^= j as i16;
        s.inner[0][0].c
    }
    #[hostcall(inline)]
    fn o12(x: i32, y: i32) -> i32 {
        x << y
    }
    #[hostcall(inline)]
    fn o13(x: i64, y: i8) -> i64 {
        (x >> y).wrapping_shl(y as u32)
    }
    #[hostcall(inline)]
    fn o14(x: u8, y: u64) -> u8 {
        (x << y) >> (y as i64)
    }
    #[hostcall(inline)]
    fn o15(x: i8) -> i8 {
        x.rotate_left(x as u32) ^ x.rotate_right(3).swap_bytes()
    }
    #[hostcall(inline)]
    fn o16(x: i16) -> u32 {
        x.count_ones()
            + x.leading_zeros() * 17
            + x.trailing_zeros() * 300
            + x.leading_ones() * 5000
            + x.trailing_ones() * 70000
            + x.count_zeros()
    }
    #[hostcall(inline)]
    fn o17(x: i8) -> u8 {
        x.unsigned_abs().wrapping_add(x.wrapping_abs() as u8) ^ x.signum() as u8
    }
    #[hostcall(inline)]
    fn o18(x: i8) -> i8 {
        x.abs()
    }
    #[hostcall(inline)]
    fn o19(n: u32) -> u32 {
        let mut a = 0u32;
        let mut i = 0;
        'outer: loop {
            i += 1;
            let mut j = 0;
            while {
                j += 1;
                j < i
            } {
                if j == 5 {
                    continue 'outer;
                }
                if i > n % 50 {
                    break 'outer;
                }
                a = a.wrapping_add(j * i);
            }
            if i == 40 {
                return a + if a > 3 { return 9 } else { 1 };
            }
        }
        a
    }
    #[hostcall(inline)]
    fn o20(x: u32) -> u32 {
        let x = x / 3;
        let y = {
            let x = x + 1;
            let x = x * 2;
            x
        };
        let z = loop {
            if y > 100 {
                break x;
            }
            break y;
        };
        let w;
        if z > 3 {
            w = 1;
        } else {
            w = 2;
        }
        z - w
    }
    #[hostcall(inline)]
    fn o21(x: u32, y: u32) -> bool {
        (x > y && {
            let t = x - y;
            t > 3
        }) | (y != 0 && x / y == 2)
            || x % 7 == 0 && return true
    }
    #[hostcall(inline)]
    fn o22(n: u32) -> u64 {
        if n % 20 < 2 {
            n as u64
        } else {
            Self::o22(n % 20 - 1) + Self::o22((n % 20) - 2)
        }
    }
    #[hostcall(inline)]
    fn o23(x: u8, y: u8) -> u8 {
        (x - y) * 2 + 1
    }
    #[hostcall(inline)]
    fn o24(x: u16, y: u16) -> u16 {
        x * y
    }
    #[hostcall(inline)]
    fn o25(x: i16, y: i16) -> i16 {
        x * y - x
    }
    #[hostcall(inline)]
    fn o26(x: u64, y: u64) -> u64 {
        x * y
    }
    #[hostcall(inline)]
    fn o27(x: i64, y: i64) -> i64 {
        x * y
    }
    #[hostcall(inline)]
    fn o28(x: i64, y: i64) -> i64 {
        x / y + x % y
    }
    #[hostcall(inline)]
    fn o29(x: i64, y: i64) -> i64 {
        (x - y).wrapping_div(y) ^ x.wrapping_rem(y)
    }
    #[hostcall(inline)]
    fn o30(x: i8, y: i8) -> i8 {
        x.wrapping_div(y) ^ x.wrapping_rem(y)
    }
    #[hostcall(inline)]
    fn o31(x: u64, y: i64) -> u64 {
        let x = x as usize;
        let y = y as isize;
        (x ^ y as usize).rotate_left(3) as u64 ^ (y >> 3) as u64
    }
    #[hostcall(inline)]
    fn o32(x: u64) -> f32 {
        x as f32 + (x as i64) as f32 + ((x as u8) as f32)
    }
    #[hostcall(inline)]
    fn o33(x: f32, y: f32) -> f32 {
        x.min(y) - y.max(x)
    }
    #[hostcall(inline)]
    fn o34(x: f32, y: f32) -> u32 {
        x.min(y).to_bits()
            ^ y.max(x)
                .to_bits()
                .wrapping_add(f32::from_bits(x.to_bits()).floor().to_bits())
    }
    #[hostcall(inline)]
    fn o35(m: &mut Memory<'_>, p: u64, v: i8) -> i16 {
        m.store(p, v);
        m.store(p + 1, -1i16);
        m.load::<i16>(p) + m.load::<i8>(p) as i16
    }
    #[hostcall(inline)]
    fn o36(m: &mut Memory<'_>, a: u32, b: u32, n: u32) -> u64 {
        m.copy(a % 70000, b % 66000, n % 3000);
        m.fill(b, a as u8, n % 100);
        m.size() + m.load::<u16>(a.min(65534)) as u64
    }
    #[hostcall(inline)]
    fn o37(m: &mut Memory<'_>, a: u64, n: u64) -> u32 {
        m.fill(
            a,
            {
                if n > 500 {
                    panic!("n")
                }
                3
            },
            n / 2,
        );
        m.load({
            if a > 9 {
                m.load::<u32>(a - 9) as u64 % 100
            } else {
                a
            }
        })
    }
    #[hostcall(inline)]
    fn o38(x: bool, y: bool, z: u8) -> u8 {
        (x as u8 + y as u8) << ((x ^ y) as u8 + z) | (!x == y) as u8
    }
    #[hostcall(inline)]
    fn o39(x: i32) -> i64 {
        x as i64 * ST + K as i64 - NEG as i64
            + m::E::B as i64
            + u64::MAX as i8 as i64
            + (m::DEEP as i64)
    }
    #[hostcall(inline)]
    fn o40(x: u32) -> u32 {
        let mut x = x;
        let y = {
            x = x.wrapping_mul(3);
            x
        } ^ {
            x = x.wrapping_add(1);
            x
        } ^ x;
        y.wrapping_sub(
            if {
                x /= 2;
                x > 5
            } {
                x
            } else {
                x -= 3;
                x
            },
        )
    }
    #[hostcall(inline)]
    fn o41(mut x: u32) -> u32 {
        let a = x;
        x = {
            x += 1;
            x * {
                x += 2;
                x
            }
        } + a;
        let mut z = 1;
        z += {
            z *= 5;
            z
        };
        x % (z + 1)
    }
    #[hostcall(inline)]
    fn o42(s: &mut S, x: i32) -> i32 {
        s.i -= x as i8;
        s.j += 1;
        s.k <<= x;
        s.n = s.n % {
            if x == 3 {
                panic!("three {{}}")
            }
            100
        } + 1;
        s.i as i32
    }
    #[hostcall(inline)]
    fn o43(x: u32, z: &mut Zst) -> u32 {
        assert!(x != 5);
        debug_assert!(x < 1 << 30, "big");
        assert!(
            x % 2 == 0 || {
                if x > 100 {
                    return 1;
                }
                x > 4
            },
            "odd"
        );
        if x == 8 {
            unreachable!()
        }
        x
    }
    #[hostcall(inline)]
    fn o44(s: &S, i: u32, j: u64) -> u32 {
        s.inner[i as usize][j as usize].d + s.inner.len() as u32 + s.inner[0].len() as u32
    }
    #[hostcall(inline)]
    fn o45(&mut self, s: &mut S, x: u32, y: f32) -> u64 {
        let before = s.n;
        s.n += self.slow(x, y, x > 3, x as u8, x as i16 as i8);
        s.t[self.idx(x) as usize] += self.slow(x % 3, -y, false, 1, 2) as i64;
        if x % 11 == 3 {
            self.nothing(before);
            self.fails(x % 4);
        }
        s.n
    }
    fn slow(&mut self, x: u32, y: f32, b: bool, c: u8, d: i8) -> u64 {
        self.log.push(x as u64);
        x as u64
            + (y as i32 as u64 & 0xff)
            + b as u64
            + c as u64
            + (d as u8) as u64
            + self.log.len() as u64
    }
    fn idx(&mut self, x: u32) -> u32 {
        self.log.push(1);
        x % 6
    }
    fn nothing(&mut self, x: u64) {
        self.log.push(x)
    }
    fn fails(&mut self, x: u32) -> Result<(), hostcall::Error> {
        if x == 1 {
            Err(hostcall::Error::msg("one"))
        } else if x == 2 {
            panic!("two")
        } else {
            Ok(())
        }
    }
    #[hostcall(inline)]
    fn o46(x: i32, y: i32, z: i32) -> i32 {
        i32::max(x, y).min(z) - (x - (y - z)) / (z | 1)
    }
    #[hostcall(inline)]
    fn o47(x: u32) -> i32 {
        if x < 10 {
            -1
        } else if x < 20 {
            return 5;
        } else if x == 30 {
            panic!()
        } else {
            let mut i = 0;
            while i < x {
                i += 7;
                if i > 300 {
                    break;
                }
            }
            i as i32
        }
    }
    #[hostcall(inline)]
    fn o48(x: f64) -> f64 {
        (x / 0.0).sqrt() + x.trunc() * x.ceil() - x.round_ties_even()
    }
    #[hostcall(inline)]
    fn o49(x: u8) -> u8 {
        !x & -(x as i8) as u8 | (x == !0) as u8
    }
    #[hostcall(inline)]
    fn o50(x: i64) -> u32 {
        let a: u16 = x as u16;
        let b = a as i8;
        let c = b as u64;
        let d = c as u16 as u32;
        d.wrapping_add(b as u32)
    }
}

#[test]
fn odd_functions_agree() {
    hostcall::testing::inline_functions_agree(App::default);
}

#[derive(Default, HostState)]
#[repr(C)]
struct Large {
    values: [[u64; 32]; 32],
    more: [[u64; 32]; 32],
    most: [[[u64; 32]; 8]; 32],
}

struct Slow;

#[host_module(name = "env")]
impl Slow {
    #[hostcall(inline)]
    fn get(&mut self, large: &mut Large, x: u32) -> u64 {
        large.values[31][31] += 1;
        if x > 3 {
            self.look_up(x) as u64
        } else {
            large.values[31][31]
        }
    }
    fn look_up(&mut self, x: u32) -> u32 {
        if x == 13 {
            panic!("thirteen")
        }
        x * 2
    }
}

const GUEST: &str = r#"(module
    (import "env" "get" (func $get (param i32) (result i64)))
    (func (export "get") (param i32) (result i64) (call $get (local.get 0))))"#;

/// With inlining and without.
fn hosts<T: 'static>(add: impl Fn(&mut Host<T>), test: impl Fn(&Host<T>, bool)) {
    for on in [true, false] {
        let mut host = Host::new();
        add(&mut host);
        host.inlining(on);
        test(&host, on);
    }
}

fn add(host: &mut Host<Slow>) {
    Slow::add_to_host(host, |slow| slow);
}

#[test]
fn a_panic_of_a_slow_path_is_its_own() {
    hosts(add, |host, _| {
        let mut instance = host
            .program(GUEST.as_bytes())
            .unwrap()
            .instantiate(Slow)
            .unwrap();
        let error = instance.call("get", &[Value::S32(13)]).unwrap_err();
        assert_eq!(error.import(), Some(("env", "look_up")));
        assert!(matches!(error.kind(), ErrorKind::Panic(message) if message == "thirteen"));
    });
}

/// The limit is what the guest may use; the host page is as large as the host
/// has made it.
#[test]
fn the_host_page_does_not_count_against_limits() {
    let limited = |host: &mut Host<Slow>| {
        add(host);
        host.limits(Limits::NONE.memory(0));
    };
    hosts(limited, |host, _| {
        let program = host.program(GUEST.as_bytes()).unwrap();
        let mut instance = program.instantiate(Slow).unwrap();
        assert_eq!(
            instance.call("get", &[Value::S32(0)]).unwrap(),
            [Value::S64(1)]
        );
        // Two pages: a memory of the guest that looks like the page takes its
        // place, but not both go.
        for memory in ["(memory 1)", "(memory 2 2)"] {
            let guest = GUEST.replace("(func (export", &format!("{memory} (func (export"));
            let error = host
                .program(guest.as_bytes())
                .unwrap()
                .instantiate(Slow)
                .unwrap_err();
            assert!(error.limit().is_some(), "{error}");
        }
    });
}

/// The native form calls its own function; a body could call only what guests
/// would get.
#[test]
fn a_body_calls_no_other_function_of_the_same_name() {
    let other = |host: &mut Host<Slow>| {
        host.func("env", "look_up", |x: u32| x + 1000);
        add(host);
    };
    hosts(other, |host, on| {
        let program = host.program(GUEST.as_bytes());
        if !on {
            let mut instance = program.unwrap().instantiate(Slow).unwrap();
            assert_eq!(
                instance.call("get", &[Value::S32(9)]).unwrap(),
                [Value::S64(18)]
            );
            return;
        }
        // Nor does the guest's own import of that name change it.
        let import = r#"(import "env" "look_up" (func (param i32) (result i32))) (func (export"#;
        let importing = host.program(GUEST.replace("(func (export", import).as_bytes());
        for program in [program, importing] {
            let message = program.unwrap_err().to_string();
            assert!(
                message.contains("offers another function by that name first"),
                "{message}"
            );
        }
    });
    let another = |host: &mut Host<Slow>| {
        host.func("env", "look_up", |x: u64| x + 1000);
        add(host);
        host.func("env", "look_up", |x: u32| x + 1000);
    };
    hosts(another, |host, _| {
        let mut instance = host
            .program(GUEST.as_bytes())
            .unwrap()
            .instantiate(Slow)
            .unwrap();
        assert_eq!(
            instance.call("get", &[Value::S32(9)]).unwrap(),
            [Value::S64(18)]
        );
    });
}

#[test]
fn an_engine_without_what_bodies_use_is_told() {
    let mut config = wasmtime::Config::new();
    config.wasm_multi_memory(false);
    let mut host = Host::with_engine(wasmtime::Engine::new(&config).unwrap());
    add(&mut host);
    let guest = GUEST.replace("(func (export", "(memory 1) (func (export");
    let message = host.program(guest.as_bytes()).unwrap_err().to_string();
    assert!(
        message.contains("queues and host state need `wasm_multi_memory`"),
        "{message}"
    );
    // One memory is allowed.
    assert!(host.program(GUEST.as_bytes()).is_ok());
    // A guest that is not valid anyway is not ours to explain.
    let guest = GUEST.replace("(func (export", "(memory 1) (memory 1) (func (export");
    let error = host.program(guest.as_bytes()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Wasmtime), "{error}");
}
