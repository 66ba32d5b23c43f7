impl App {
    async fn wait(millis: u64) {}
    async fn get(&self, key: &str) -> Result<String, Error> {
        Ok(String::new())
    }
    async fn fill(&mut self, list: &mut [u8]) {}
    async fn find(&self, key: &str) -> Result<u32, KvError> {
        Ok(0)
    }
    async fn visit(guest: &mut AsyncGuest<'_, App>, text: GuestStr) -> u32 {
        0
    }
    fn later(guest: &mut Guest<'_, App>) {}
}
#[automatically_derived]
impl ::hostcall::HostModule for App {
    const NAME: &'static str = "env";
    fn register(registry: &mut impl ::hostcall::impl_::Registry<Self>) {
        {
            unsafe {
                registry
                    .async_func::<
                        (u64, ()),
                        (),
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "wait", &["millis"]),
                        |
                            state: &mut Self,
                            args: &mut ::hostcall::impl_::Args<'_>,
                            waiting: &mut ::hostcall::impl_::Waiting<'_>|
                        {
                            let _ = state;
                            let arg0 = args.arg::<u64>()?;
                            waiting.on(Self::wait(arg0))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .async_func::<
                        (&str, ()),
                        Result<String, Error>,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "get", &["key"]),
                        |
                            state: &mut Self,
                            args: &mut ::hostcall::impl_::Args<'_>,
                            waiting: &mut ::hostcall::impl_::Waiting<'_>|
                        {
                            let arg0 = args.arg::<&str>()?;
                            waiting.on(Self::get(state, arg0))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .async_func::<
                        (&mut [u8], ()),
                        (),
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "fill", &["list"])
                            .fuel(100u64),
                        |
                            state: &mut Self,
                            args: &mut ::hostcall::impl_::Args<'_>,
                            waiting: &mut ::hostcall::impl_::Waiting<'_>|
                        {
                            let _: [(); {
                                ::hostcall::impl_::assert_unpadded::<u8>();
                                0
                            }];
                            let arg0 = args.arg::<&mut [u8]>()?;
                            waiting.on(Self::fill(state, arg0))
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .async_func::<
                        (&str, ()),
                        ::hostcall::AsErrno<Result<u32, KvError>>,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "find", &["key"]),
                        |
                            state: &mut Self,
                            args: &mut ::hostcall::impl_::Args<'_>,
                            waiting: &mut ::hostcall::impl_::Waiting<'_>|
                        {
                            let arg0 = args.arg::<&str>()?;
                            waiting.on(Self::find(state, arg0)).map(::hostcall::AsErrno)
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .async_guest_func::<
                        (GuestStr, ()),
                        _,
                        u32,
                        _,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "visit", &["text"])
                            .reentrant(::hostcall::impl_::REENTRANT),
                        |args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<GuestStr>()?;
                            ::hostcall::impl_::Result::Ok((arg0,))
                        },
                        |
                            guest: &mut ::hostcall::AsyncGuest<'_, Self>,
                            (arg0,),
                            waiting: &mut ::hostcall::impl_::Waiting<'_>|
                        { waiting.on(Self::visit(guest, arg0)) },
                    );
            }
        }
        {
            unsafe {
                registry
                    .deferred_guest_func::<
                        (),
                        _,
                        (),
                        _,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "later", &[])
                            .fuel(3u64)
                            .reentrant(4u32),
                        |args: &mut ::hostcall::impl_::Args<'_>| {
                            ::hostcall::impl_::Result::Ok(())
                        },
                        |guest: &mut ::hostcall::Guest<'_, Self>, ()| {
                            Self::later(guest)
                        },
                    );
            }
        }
    }
}
