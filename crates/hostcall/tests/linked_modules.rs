//! Arbitrary guests behave on Wasmtime as they did before they were linked.

mod behaviour;

#[test]
fn linked_modules_behave_as_their_guests() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut byte = || {
        // xorshift
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let (mut cases, mut events) = (0, 0);
    for _ in 0..150 {
        let data: Vec<u8> = (0..4000).map(|_| byte()).collect();
        if let Some(compared) = behaviour::compare(&data) {
            cases += 1;
            events += compared;
        }
    }
    assert!(
        cases > 80 && events > 1000,
        "{cases} cases, {events} events"
    );
}
