impl App {
    fn log(&mut self, text: &str) -> Result<(), Error> {
        Ok(())
    }
    fn tick(count: u64) {}
    fn with_guest(guest: &mut Guest<'_, App>, text: String) {}
    fn samples(&mut self, batch: &[Sample]) -> Result<(), Error> {
        Ok(())
    }
    fn marks(batch: &[Mark]) {}
}
#[automatically_derived]
impl ::hostcall::HostModule for App {
    const NAME: &'static str = "env";
    fn register(registry: &mut impl ::hostcall::impl_::Registry<Self>) {
        {
            unsafe {
                registry
                    .deferred_func::<
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
                    .deferred_func::<
                        (u64, ()),
                        (),
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "tick", &["count"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let _ = state;
                            let arg0 = args.arg::<u64>()?;
                            ::hostcall::impl_::Result::Ok(Self::tick(arg0))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .deferred_guest_func::<
                        (String, ()),
                        _,
                        (),
                        _,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "notify", &["text"]),
                        |args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<String>()?;
                            ::hostcall::impl_::Result::Ok((arg0,))
                        },
                        |guest: &mut ::hostcall::Guest<'_, Self>, (arg0,)| {
                            Self::with_guest(guest, arg0)
                        },
                    );
            }
        }
        {
            registry
                .batch_func::<
                    Sample,
                    Result<(), Error>,
                    _,
                >(
                    ::hostcall::impl_::Decl::new("env", "samples", &[]),
                    |state: &mut Self, batch: &[Sample]| { Self::samples(state, batch) },
                );
        }
        {
            registry
                .batch_func::<
                    Mark,
                    (),
                    _,
                >(
                    ::hostcall::impl_::Decl::new("env", "marks", &[]),
                    |state: &mut Self, batch: &[Mark]| {
                        let _ = state;
                        Self::marks(batch)
                    },
                );
        }
    }
}
