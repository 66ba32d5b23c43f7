impl App {
    fn parse(text: &str) -> Result<u32, ParseError> {
        Ok(0)
    }
    fn get(&mut self, key: &str) -> Result<(u32, String), KvError> {
        Err(KvError)
    }
    fn with_guest(guest: &mut Guest<'_, App>, key: String) -> Outcome {
        Ok(())
    }
}
#[automatically_derived]
impl ::hostcall::HostModule for App {
    const NAME: &'static str = "env";
    fn register(registry: &mut impl ::hostcall::impl_::Registry<Self>) {
        {
            unsafe {
                registry
                    .func::<
                        (&str, ()),
                        ::hostcall::AsResult<Result<u32, ParseError>>,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "parse", &["text"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let _ = state;
                            let arg0 = args.arg::<&str>()?;
                            ::hostcall::impl_::Result::Ok(
                                ::hostcall::AsResult(Self::parse(arg0)),
                            )
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .func::<
                        (&str, ()),
                        ::hostcall::AsErrno<Result<(u32, String), KvError>>,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "get", &["key"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<&str>()?;
                            ::hostcall::impl_::Result::Ok(
                                ::hostcall::AsErrno(Self::get(state, arg0)),
                            )
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .guest_func::<
                        (String, ()),
                        _,
                        ::hostcall::AsErrno<Outcome>,
                        _,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "with_guest", &["key"]),
                        |args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<String>()?;
                            ::hostcall::impl_::Result::Ok((arg0,))
                        },
                        |guest: &mut ::hostcall::Guest<'_, Self>, (arg0,)| {
                            ::hostcall::AsErrno(Self::with_guest(guest, arg0))
                        },
                    );
            }
        }
    }
}
