#[automatically_derived]
unsafe impl ::hostcall::GuestType for Shape {
    fn ty() -> ::hostcall::Type {
        ::hostcall::Type::Variant(
            vec![
                ("empty".to_owned(), ::core::option::Option::None), ("circle".to_owned(),
                ::core::option::Option::Some(< f64 as ::hostcall::GuestType > ::ty())),
                ("rect".to_owned(),
                ::core::option::Option::Some(::hostcall::Type::Record(vec![("width"
                .to_owned(), < f64 as ::hostcall::GuestType > ::ty()), ("height"
                .to_owned(), < f64 as ::hostcall::GuestType > ::ty())])))
            ],
        )
    }
    const FLAT: usize = 1
        + ::hostcall::impl_::max(
            &[
                <() as ::hostcall::GuestType>::FLAT,
                <(f64,) as ::hostcall::GuestType>::FLAT,
                <(f64, f64) as ::hostcall::GuestType>::FLAT,
            ],
        );
    const NULLABLE: bool = false;
    const LAYOUT: ::hostcall::impl_::Layouts = ::hostcall::impl_::layout::variant(
        &[
            <() as ::hostcall::GuestType>::LAYOUT,
            <(f64,) as ::hostcall::GuestType>::LAYOUT,
            <(f64, f64) as ::hostcall::GuestType>::LAYOUT,
        ],
    );
    const NEEDS: ::hostcall::impl_::Needs = ::hostcall::impl_::Needs::all(
        &[
            <() as ::hostcall::GuestType>::NEEDS,
            <(f64,) as ::hostcall::GuestType>::NEEDS,
            <(f64, f64) as ::hostcall::GuestType>::NEEDS,
        ],
    );
}
#[automatically_derived]
impl ::hostcall::Lift for Shape {
    type Value<'a> = Self;
    #[inline(always)]
    fn lift(args: &mut ::hostcall::impl_::Args<'_>) -> ::hostcall::impl_::Lifted<Self> {
        const SHARED: usize = ::hostcall::impl_::max(
            &[
                <() as ::hostcall::GuestType>::FLAT,
                <(f64,) as ::hostcall::GuestType>::FLAT,
                <(f64, f64) as ::hostcall::GuestType>::FLAT,
            ],
        );
        match args.u32() {
            0u32 => {
                let () = ::hostcall::impl_::lift_case::<()>(args, SHARED)?;
                ::hostcall::impl_::Lifted::Ok(Self::Empty)
            }
            1u32 => {
                let (field0,) = ::hostcall::impl_::lift_case::<(f64,)>(args, SHARED)?;
                ::hostcall::impl_::Lifted::Ok(Self::Circle(field0))
            }
            2u32 => {
                let (field0, field1) = ::hostcall::impl_::lift_case::<
                    (f64, f64),
                >(args, SHARED)?;
                ::hostcall::impl_::Lifted::Ok(Self::Rect {
                    width: field0,
                    height: field1,
                })
            }
            tag => ::hostcall::impl_::bad_tag(tag, 3usize as u32),
        }
    }
    fn load(
        args: &mut ::hostcall::impl_::Args<'_>,
        at: u64,
    ) -> ::hostcall::impl_::Lifted<Self> {
        let layouts: &[::hostcall::impl_::Layouts] = &[
            <() as ::hostcall::GuestType>::LAYOUT,
            <(f64,) as ::hostcall::GuestType>::LAYOUT,
            <(f64, f64) as ::hostcall::GuestType>::LAYOUT,
        ];
        let offset = |width| {
            ::hostcall::impl_::layout::payload_offset(layouts, width) as u64
        };
        match ::hostcall::impl_::load_tag(args, at, 3usize)? {
            0u32 => {
                let at = at + offset(args.width());
                let () = <() as ::hostcall::Lift>::load(args, at)?;
                ::hostcall::impl_::Lifted::Ok(Self::Empty)
            }
            1u32 => {
                let at = at + offset(args.width());
                let (field0,) = <(f64,) as ::hostcall::Lift>::load(args, at)?;
                ::hostcall::impl_::Lifted::Ok(Self::Circle(field0))
            }
            2u32 => {
                let at = at + offset(args.width());
                let (field0, field1) = <(f64, f64) as ::hostcall::Lift>::load(args, at)?;
                ::hostcall::impl_::Lifted::Ok(Self::Rect {
                    width: field0,
                    height: field1,
                })
            }
            tag => ::hostcall::impl_::bad_tag(tag, 3usize as u32),
        }
    }
}
#[automatically_derived]
impl ::hostcall::Lower for Shape {
    type Value<'a> = Self;
    #[inline(always)]
    fn lower(
        value: Self,
        results: &mut ::hostcall::impl_::Results<'_>,
    ) -> ::hostcall::impl_::Result<()> {
        const SHARED: usize = ::hostcall::impl_::max(
            &[
                <() as ::hostcall::GuestType>::FLAT,
                <(f64,) as ::hostcall::GuestType>::FLAT,
                <(f64, f64) as ::hostcall::GuestType>::FLAT,
            ],
        );
        match value {
            Self::Empty => {
                results.bits(0u32 as u64)?;
                ::hostcall::impl_::lower_case::<()>((), results, SHARED)
            }
            Self::Circle(field0) => {
                results.bits(1u32 as u64)?;
                ::hostcall::impl_::lower_case::<(f64,)>((field0,), results, SHARED)
            }
            Self::Rect { width: field0, height: field1 } => {
                results.bits(2u32 as u64)?;
                ::hostcall::impl_::lower_case::<
                    (f64, f64),
                >((field0, field1), results, SHARED)
            }
        }
    }
    fn store(
        value: Self,
        results: &mut ::hostcall::impl_::Results<'_>,
        at: u64,
    ) -> ::hostcall::impl_::Result<()> {
        let layouts: &[::hostcall::impl_::Layouts] = &[
            <() as ::hostcall::GuestType>::LAYOUT,
            <(f64,) as ::hostcall::GuestType>::LAYOUT,
            <(f64, f64) as ::hostcall::GuestType>::LAYOUT,
        ];
        let offset = |width| {
            ::hostcall::impl_::layout::payload_offset(layouts, width) as u64
        };
        match value {
            Self::Empty => {
                ::hostcall::impl_::store_tag(results, at, 0u32, 3usize)?;
                let at = at + offset(results.width());
                <() as ::hostcall::Lower>::store((), results, at)
            }
            Self::Circle(field0) => {
                ::hostcall::impl_::store_tag(results, at, 1u32, 3usize)?;
                let at = at + offset(results.width());
                <(f64,) as ::hostcall::Lower>::store((field0,), results, at)
            }
            Self::Rect { width: field0, height: field1 } => {
                ::hostcall::impl_::store_tag(results, at, 2u32, 3usize)?;
                let at = at + offset(results.width());
                <(f64, f64) as ::hostcall::Lower>::store((field0, field1), results, at)
            }
        }
    }
}
#[automatically_derived]
impl ::hostcall::Returns for Shape {
    type Ok = Self;
    #[inline(always)]
    fn returned(self) -> ::hostcall::impl_::Result<Self> {
        ::hostcall::impl_::Result::Ok(self)
    }
}
