use hostcall::Secret;

fn main() {
    let secret = Secret::from("token");
    println!("{secret}");
    let _ = secret == Secret::from("token");
    let _: Secret = secret.clone();
    let _: &[u8] = &secret;
}
