const _: () = {
    #[doc(hidden)]
    pub struct CachePlace {
        pub keys: <[u32; 16] as ::hostcall::impl_::inline::Fields>::Place,
        inner: <Counters as ::hostcall::impl_::inline::Fields>::Place,
    }
    impl CachePlace {
        /// The host alone may use a field.
        #[allow(dead_code)]
        fn fields(&self) {
            let _ = &self.keys;
            let _ = &self.inner;
        }
    }
    #[automatically_derived]
    impl ::hostcall::impl_::inline::Fields for Cache {
        type Place = CachePlace;
        const SIZE: u32 = ::core::mem::size_of::<Cache>() as u32;
        const ALIGN: u32 = ::core::mem::align_of::<Cache>() as u32;
        fn place(at: ::hostcall::impl_::inline::Address) -> CachePlace {
            CachePlace {
                keys: <[u32; 16] as ::hostcall::impl_::inline::Fields>::place(
                    at.offset(::core::mem::offset_of!(Cache, keys)),
                ),
                inner: <Counters as ::hostcall::impl_::inline::Fields>::place(
                    at.offset(::core::mem::offset_of!(Cache, inner)),
                ),
            }
        }
    }
    unsafe impl ::hostcall::impl_::PlainBytes for Cache {}
    const _: () = {
        const fn plain<T: ::hostcall::impl_::PlainBytes>() {}
        plain::<[u32; 16]>();
        plain::<Counters>();
        let size = ::core::mem::size_of::<Cache>();
        assert!(
            size == 0 + ::core::mem::size_of:: < [u32; 16] > () + ::core::mem::size_of::
            < Counters > (),
            "`Cache` has padding between or after its fields: put larger fields first, or add fields in its place, such as `_pad: [u8; 4]`"
        );
    };
    #[automatically_derived]
    impl ::hostcall::HostState for Cache {}
};
