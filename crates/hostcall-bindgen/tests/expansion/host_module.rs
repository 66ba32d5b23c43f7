impl App {
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }
    fn sort(list: &mut [Point]) {}
    fn log(&mut self, text: &str) -> Result<(), Error> {
        Ok(())
    }
    fn with_guest(guest: &mut Guest<'_, App>, text: GuestStr) {}
}
#[automatically_derived]
impl ::hostcall::HostModule for App {
    const NAME: &'static str = "env";
    fn register(registry: &mut impl ::hostcall::impl_::Registry<Self>) {
        {
            unsafe {
                registry
                    .func::<
                        (i32, (i32, ())),
                        i32,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "add", &["a", "b"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let _ = state;
                            let arg0 = args.arg::<i32>()?;
                            let arg1 = args.arg::<i32>()?;
                            ::hostcall::impl_::Result::Ok(Self::add(arg0, arg1))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .func::<
                        (&mut [Point], ()),
                        (),
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "sort", &["list"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let _ = state;
                            let _: [(); {
                                ::hostcall::impl_::assert_unpadded::<Point>();
                                0
                            }];
                            let arg0 = args.arg::<&mut [Point]>()?;
                            ::hostcall::impl_::Result::Ok(Self::sort(arg0))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .func::<
                        (&str, ()),
                        Result<(), Error>,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "log", &["text"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<&str>()?;
                            ::hostcall::impl_::Result::Ok(Self::log(state, arg0))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .guest_func::<
                        (GuestStr, ()),
                        _,
                        (),
                        _,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("other", "type", &["text"]),
                        |args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<GuestStr>()?;
                            ::hostcall::impl_::Result::Ok((arg0,))
                        },
                        |guest: &mut ::hostcall::Guest<'_, Self>, (arg0,)| {
                            Self::with_guest(guest, arg0)
                        },
                    );
            }
        }
    }
}
