impl App {
    /// Docs stay.
    #[allow(dead_code)]
    #[track_caller]
    pub fn steps(n: u64, limit: u32) -> u32 {
        match Self::__hostcall_native_steps(n, limit) {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(trap) => ::core::panic!("{}", trap),
        }
    }
    #[allow(dead_code)]
    #[track_caller]
    fn find(&mut self, memory: &mut Memory<'_>, cache: &mut Cache, key: u32) -> u32 {
        match Self::__hostcall_native_find(self, memory, cache, key) {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(trap) => ::core::panic!("{}", trap),
        }
    }
    fn slow(&mut self, key: u32) -> Result<u32, Error> {
        Ok(key)
    }
}
impl App {
    #[doc(hidden)]
    #[allow(
        unused_braces,
        unused_parens,
        redundant_semicolons,
        clippy::all,
        clippy::pedantic,
        clippy::nursery,
        reason = "rewritten from what a person wrote"
    )]
    fn __hostcall_native_steps(
        mut n: u64,
        limit: u32,
    ) -> ::core::result::Result<u32, ::hostcall::impl_::inline::native::BodyTrap> {
        let mut steps = 0;
        (while ((n != 1) && (steps < limit)) {
            (if (::hostcall::impl_::inline::native::rem(n, 2)? == 0) {
                (n = ::hostcall::impl_::inline::native::div(n, 2)?);
            } else {
                (n = ::hostcall::impl_::inline::native::add(
                    ::hostcall::impl_::inline::native::mul(3, n)?,
                    1,
                )?);
            });
            (steps = ::hostcall::impl_::inline::native::add(steps, 1)?);
        });
        (if (n == 0) {
            (return ::core::result::Result::Ok(u32::MAX))
        });
        ::core::result::Result::Ok(steps)
    }
    #[doc(hidden)]
    #[allow(
        dead_code,
        non_snake_case,
        overflowing_literals,
        redundant_semicolons,
        unreachable_code,
        unused_braces,
        unused_parens,
        unused_variables,
        clippy::all,
        clippy::pedantic,
        clippy::nursery,
        reason = "rewritten from what a person wrote"
    )]
    fn __hostcall_build_steps(__hostcall: &::hostcall::impl_::inline::Builder) {
        let n = __hostcall.param::<u64>("n");
        let limit = __hostcall.param::<u32>("limit");
        __hostcall.returns::<u32>();
        let steps = __hostcall.local(::hostcall::impl_::inline::lit(0));
        __hostcall
            .while_(
                || {
                    ::hostcall::impl_::inline::and(
                        ::hostcall::impl_::inline::ne(
                            n.get(),
                            ::hostcall::impl_::inline::lit(1),
                        ),
                        ::hostcall::impl_::inline::lt(steps.get(), limit.get()),
                    )
                },
                |__loop0| {
                    __hostcall
                        .if_else(
                            ::hostcall::impl_::inline::eq(
                                (n.get() % ::hostcall::impl_::inline::lit(2)),
                                ::hostcall::impl_::inline::lit(0),
                            ),
                            || {
                                n.set(
                                    __hostcall,
                                    n.get() / ::hostcall::impl_::inline::lit(2),
                                );
                            },
                            || {
                                n.set(
                                    __hostcall,
                                    ((::hostcall::impl_::inline::lit(3) * n.get())
                                        + ::hostcall::impl_::inline::lit(1)),
                                );
                            },
                        );
                    steps
                        .set(
                            __hostcall,
                            steps.get() + ::hostcall::impl_::inline::lit(1),
                        );
                },
            );
        __hostcall
            .if_(
                ::hostcall::impl_::inline::eq(
                    n.get(),
                    ::hostcall::impl_::inline::lit(0),
                ),
                || {
                    __hostcall
                        .ret::<
                            ::hostcall::impl_::inline::Expr<u32>,
                        >(::hostcall::impl_::inline::lit(u32::MAX));
                },
            );
        __hostcall.ret::<::hostcall::impl_::inline::Expr<u32>>(steps.get());
    }
    #[doc(hidden)]
    #[allow(
        unused_braces,
        unused_parens,
        redundant_semicolons,
        clippy::all,
        clippy::pedantic,
        clippy::nursery,
        reason = "rewritten from what a person wrote"
    )]
    fn __hostcall_native_find(
        &mut self,
        memory: &mut Memory<'_>,
        cache: &mut Cache,
        key: u32,
    ) -> ::core::result::Result<u32, ::hostcall::impl_::inline::native::BodyTrap> {
        (if !(key != 0) {
            (return ::core::result::Result::Err(
                ::hostcall::impl_::inline::native::BodyTrap::new("a key is not zero"),
            ))
        });
        let slot = ::hostcall::impl_::inline::native::rem(
            (key as usize),
            cache.keys.len(),
        )?;
        (if ((*::hostcall::impl_::inline::native::index(&cache.keys, slot)?) == key) {
            {
                let __value = 1;
                let __place = &mut (*::hostcall::impl_::inline::native::index_mut(
                    &mut cache.hits,
                    slot,
                )?);
                *__place = ::hostcall::impl_::inline::native::add(*__place, __value)?;
            };
            (return ::core::result::Result::Ok(memory.load(key)?));
        });
        ::core::result::Result::Ok({
            let __args = (key,);
            ::hostcall::impl_::slow_path("env", "slow", || Self::slow(self, __args.0))?
        })
    }
    #[doc(hidden)]
    #[allow(
        dead_code,
        non_snake_case,
        overflowing_literals,
        redundant_semicolons,
        unreachable_code,
        unused_braces,
        unused_parens,
        unused_variables,
        clippy::all,
        clippy::pedantic,
        clippy::nursery,
        reason = "rewritten from what a person wrote"
    )]
    fn __hostcall_build_find(__hostcall: &::hostcall::impl_::inline::Builder) {
        let key = __hostcall.param::<u32>("key");
        __hostcall.returns::<u32>();
        let memory = __hostcall.memory();
        let cache = __hostcall.state::<Cache>();
        __hostcall
            .if_(
                ::hostcall::impl_::inline::not(
                    ::hostcall::impl_::inline::ne(
                        key.get(),
                        ::hostcall::impl_::inline::lit(0),
                    ),
                ),
                || __hostcall.trap("a key is not zero"),
            );
        let slot = __hostcall
            .local(
                (::hostcall::impl_::inline::cast::<_, usize>(key.get())
                    % cache.keys.len()),
            );
        __hostcall
            .if_(
                ::hostcall::impl_::inline::eq(
                    ::hostcall::impl_::inline::NumberPlace::read(
                        &cache.keys.at(slot.get()),
                    ),
                    key.get(),
                ),
                || {
                    {
                        let __place = cache.hits.at(slot.get()).held(__hostcall);
                        __place
                            .set(
                                __hostcall,
                                __place.get() + ::hostcall::impl_::inline::lit(1),
                            );
                    };
                    __hostcall
                        .ret::<
                            ::hostcall::impl_::inline::Expr<u32>,
                        >(memory.load(key.get()));
                },
            );
        __hostcall
            .ret::<
                ::hostcall::impl_::inline::Expr<u32>,
            >(
                __hostcall
                    .call_host::<
                        ::hostcall::impl_::inline::Expr<
                            <Result<u32, Error> as ::hostcall::Returns>::Ok,
                        >,
                    >("env", "slow", ::std::vec![__hostcall.arg:: < u32 > (key.get())]),
            );
    }
}
#[automatically_derived]
impl ::hostcall::HostModule for App {
    const NAME: &'static str = "env";
    fn register(registry: &mut impl ::hostcall::impl_::Registry<Self>) {
        {
            unsafe {
                registry
                    .inline_func::<
                        (u64, (u32, ())),
                        ::core::result::Result<
                            u32,
                            ::hostcall::impl_::inline::native::BodyTrap,
                        >,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "steps", &["n", "limit"]),
                        ::hostcall::impl_::InlineBody {
                            build: Self::__hostcall_build_steps,
                            states: const { &[] },
                            memory: false,
                        },
                        |state: &mut Self, args: &mut ::hostcall::impl_::InlineArgs<'_>| {
                            let _ = state;
                            let arg0 = args.arg::<u64>()?;
                            let arg1 = args.arg::<u32>()?;
                            ::hostcall::impl_::body_result(
                                Self::__hostcall_native_steps(arg0, arg1),
                            )
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .inline_func::<
                        (u32, ()),
                        ::core::result::Result<
                            u32,
                            ::hostcall::impl_::inline::native::BodyTrap,
                        >,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "find", &["key"]),
                        ::hostcall::impl_::InlineBody {
                            build: Self::__hostcall_build_find,
                            states: const { &[::hostcall::impl_::state_of::<Cache>()] },
                            memory: true,
                        },
                        |state: &mut Self, args: &mut ::hostcall::impl_::InlineArgs<'_>| {
                            let arg2 = args.arg::<u32>()?;
                            let mut arg0 = args.memory()?;
                            let arg1 = args.state::<Cache>()?;
                            ::hostcall::impl_::body_result(
                                Self::__hostcall_native_find(state, &mut arg0, arg1, arg2),
                            )
                        },
                    );
            }
        }
        {
            unsafe {
                registry
                    .func::<
                        (u32, ()),
                        Result<u32, Error>,
                        _,
                    >(
                        ::hostcall::impl_::Decl::new("env", "slow", &["key"]),
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                            let arg0 = args.arg::<u32>()?;
                            ::hostcall::impl_::Result::Ok(Self::slow(state, arg0))
                        },
                    );
            }
        }
    }
}
