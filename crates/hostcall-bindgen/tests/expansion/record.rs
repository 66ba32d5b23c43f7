#[automatically_derived]
unsafe impl ::hostcall::GuestType for Point {
    fn ty() -> ::hostcall::Type {
        ::hostcall::Type::Record(
            vec![
                ("x".to_owned(), < i32 as ::hostcall::GuestType > ::ty()), ("y"
                .to_owned(), < i32 as ::hostcall::GuestType > ::ty())
            ],
        )
    }
    const FLAT: usize = 0 + <i32 as ::hostcall::GuestType>::FLAT
        + <i32 as ::hostcall::GuestType>::FLAT;
    const NULLABLE: bool = false;
    const LAYOUT: ::hostcall::impl_::Layouts = ::hostcall::impl_::layout::record(
        &[<i32 as ::hostcall::GuestType>::LAYOUT, <i32 as ::hostcall::GuestType>::LAYOUT],
    );
    const NEEDS: ::hostcall::impl_::Needs = ::hostcall::impl_::Needs::all(
        &[<i32 as ::hostcall::GuestType>::NEEDS, <i32 as ::hostcall::GuestType>::NEEDS],
    );
}
#[automatically_derived]
impl ::hostcall::Lift for Point {
    type Value<'a> = Self;
    #[inline(always)]
    fn lift(args: &mut ::hostcall::impl_::Args<'_>) -> ::hostcall::impl_::Lifted<Self> {
        let field0 = <i32 as ::hostcall::Lift>::lift(args)?;
        let field1 = <i32 as ::hostcall::Lift>::lift(args)?;
        ::hostcall::impl_::Lifted::Ok(Self { x: field0, y: field1 })
    }
    fn load(
        args: &mut ::hostcall::impl_::Args<'_>,
        at: u64,
    ) -> ::hostcall::impl_::Lifted<Self> {
        let layouts: &[::hostcall::impl_::Layouts] = &[
            <i32 as ::hostcall::GuestType>::LAYOUT,
            <i32 as ::hostcall::GuestType>::LAYOUT,
        ];
        let offset = |i, width| {
            ::hostcall::impl_::layout::offset(layouts, i, width) as u64
        };
        let _ = (at, offset);
        let field0 = <i32 as ::hostcall::Lift>::load(
            args,
            at + offset(0usize, args.width()),
        )?;
        let field1 = <i32 as ::hostcall::Lift>::load(
            args,
            at + offset(1usize, args.width()),
        )?;
        ::hostcall::impl_::Lifted::Ok(Self { x: field0, y: field1 })
    }
}
#[automatically_derived]
impl ::hostcall::Lower for Point {
    type Value<'a> = Self;
    #[inline(always)]
    fn lower(
        value: Self,
        results: &mut ::hostcall::impl_::Results<'_>,
    ) -> ::hostcall::impl_::Result<()> {
        let Self { x: field0, y: field1 } = value;
        <i32 as ::hostcall::Lower>::lower(field0, results)?;
        <i32 as ::hostcall::Lower>::lower(field1, results)?;
        ::hostcall::impl_::Result::Ok(())
    }
    fn store(
        value: Self,
        results: &mut ::hostcall::impl_::Results<'_>,
        at: u64,
    ) -> ::hostcall::impl_::Result<()> {
        let layouts: &[::hostcall::impl_::Layouts] = &[
            <i32 as ::hostcall::GuestType>::LAYOUT,
            <i32 as ::hostcall::GuestType>::LAYOUT,
        ];
        let offset = |i, width| {
            ::hostcall::impl_::layout::offset(layouts, i, width) as u64
        };
        let _ = (at, offset);
        let Self { x: field0, y: field1 } = value;
        {
            let at = at + offset(0usize, results.width());
            <i32 as ::hostcall::Lower>::store(field0, results, at)?;
        }
        {
            let at = at + offset(1usize, results.width());
            <i32 as ::hostcall::Lower>::store(field1, results, at)?;
        }
        ::hostcall::impl_::Result::Ok(())
    }
}
#[automatically_derived]
impl ::hostcall::Returns for Point {
    type Ok = Self;
    #[inline(always)]
    fn returned(self) -> ::hostcall::impl_::Result<Self> {
        ::hostcall::impl_::Result::Ok(self)
    }
}
const _: () = {
    #[doc(hidden)]
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Bits {
        field0: <i32 as ::hostcall::impl_::PlaceField>::Bits,
        field1: <i32 as ::hostcall::impl_::PlaceField>::Bits,
    }
    unsafe impl ::hostcall::impl_::Zeroable for Bits {}
    unsafe impl ::hostcall::impl_::AnyBitPattern for Bits {}
    #[automatically_derived]
    unsafe impl ::hostcall::impl_::CheckedBitPattern for Point {
        type Bits = Bits;
        #[inline(always)]
        fn is_valid_bit_pattern(bits: &Bits) -> bool {
            true
                && <i32 as ::hostcall::impl_::CheckedBitPattern>::is_valid_bit_pattern(
                    &bits.field0,
                )
                && <i32 as ::hostcall::impl_::CheckedBitPattern>::is_valid_bit_pattern(
                    &bits.field1,
                )
        }
    }
    const _: () = {
        let size = ::core::mem::size_of::<Point>();
        let guest = <Point as ::hostcall::GuestType>::LAYOUT[0];
        assert!(
            size > 0,
            "`Point` has no fields, so nothing of it is in memory: remove `#[repr(C)]`"
        );
        assert!(
            size == guest.size && ::core::mem::align_of:: < Point > () == guest.align,
            "the layout of `Point` on this machine is not that of guests"
        );
    };
    #[automatically_derived]
    unsafe impl ::hostcall::GuestPlace for Point {
        const PADDED: bool = ::core::mem::size_of::<Self>()
            != 0 + ::core::mem::size_of::<i32>() + ::core::mem::size_of::<i32>()
            || <i32 as ::hostcall::impl_::PlaceField>::PADDED
            || <i32 as ::hostcall::impl_::PlaceField>::PADDED;
    }
};
