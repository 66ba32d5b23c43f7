impl App {
    fn read(path: String) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }
    fn parse(text: String) -> Result<u32, ParseError> {
        Ok(0)
    }
    fn search(&self, text: String, deadline: Deadline) -> u32 {
        0
    }
}
#[automatically_derived]
impl ::hostcall::HostModule for App {
    const NAME: &'static str = "env";
    fn register(registry: &mut impl ::hostcall::impl_::Registry<Self>) {
        {
            unsafe {
                registry
                    .blocking_func::<
                        (String, ()),
                        Result<Vec<u8>, Error>,
                        _,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "read", &["path"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<String>()?;
                            let _ = state;
                            ::hostcall::impl_::Result::Ok(move |_: ::hostcall::Deadline| Self::read(
                                arg0,
                            ))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .blocking_func::<
                        (String, ()),
                        ::hostcall::AsResult<Result<u32, ParseError>>,
                        _,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "parse", &["text"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<String>()?;
                            let _ = state;
                            ::hostcall::impl_::Result::Ok(move |_: ::hostcall::Deadline| ::hostcall::AsResult(
                                Self::parse(arg0),
                            ))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .blocking_func::<
                        (String, ()),
                        u32,
                        _,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "search", &["text"])
                            .fuel(100u64),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<String>()?;
                            let state = ::hostcall::impl_::handle::<Self>(state);
                            ::hostcall::impl_::Result::Ok(move |
                                deadline: ::hostcall::Deadline|
                            Self::search(&state, arg0, deadline))
                        },
                    );
            }
        }
    }
}
