//! An attribute's value.

use crate::sys;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An attribute's value, which borrows what it is made of for `'v`: no bytes are copied. Numbers, `bool`, `&str`, times and
/// `Duration` become one by `into()`, which the setters do by themselves.
///
/// ```
/// use licet::Value;
///
/// let tags = [Value::from("travel"), Value::from("food")];
/// let arguments = [[Value::from("path"), Value::from("/etc/hosts")], [Value::from("mode"), Value::from(0o644)]];
/// let values = [Value::list(&tags), Value::map(&arguments), Value::from(3), Value::from(0.5), Value::null()];
/// assert_eq!(format!("{:?}", values[1]), r#"{"path": "/etc/hosts", "mode": 420}"#);
/// ```
///
/// What it borrows must live as long as it does:
///
/// ```compile_fail,E0505
/// let text = String::from("member");
/// let value = licet::Value::from(text.as_str());
/// drop(text);
/// println!("{value:?}");
/// ```
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Value<'v> {
    pub(crate) raw: sys::licet_value,
    borrowed: PhantomData<&'v [u8]>,
}

// SAFETY: it is numbers, or shared references to bytes and values, which all are `Sync`.
unsafe impl Send for Value<'_> {}
// SAFETY: as above; nothing changes behind it.
unsafe impl Sync for Value<'_> {}

/// A length as the library takes it; what is longer is refused when it is set.
fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl<'v> Value<'v> {
    fn new(kind: u8, length: u32, as_: sys::licet_value_as) -> Value<'v> {
        Value { raw: sys::licet_value { as_, length, kind, reserved: [0; 3] }, borrowed: PhantomData }
    }

    /// Null.
    pub fn null() -> Value<'static> {
        Value::new(sys::LICET_KIND_NULL, 0, sys::licet_value_as { unsigned_: 0 })
    }

    /// Bytes, at most 65,536.
    pub fn bytes(bytes: &'v [u8]) -> Value<'v> {
        Value::new(sys::LICET_KIND_BYTES, length(bytes.len()), sys::licet_value_as { bytes: bytes.as_ptr().cast() })
    }

    /// A list.
    pub fn list(elements: &'v [Value<'v>]) -> Value<'v> {
        // `Value` is `repr(transparent)`: a slice of them is a slice of what C reads.
        let elements_ = sys::licet_value_as { elements: elements.as_ptr().cast() };
        Value::new(sys::LICET_KIND_LIST, length(elements.len()), elements_)
    }

    /// A map of key and value in turn.
    pub fn map(pairs: &'v [[Value<'v>; 2]]) -> Value<'v> {
        let elements = sys::licet_value_as { elements: pairs.as_ptr().cast() };
        Value::new(sys::LICET_KIND_MAP, length(pairs.len()), elements)
    }

    /// A time by seconds since 1970 and 0 to 999,999,999 nanoseconds, in the years 1 to 9999.
    pub fn timestamp(seconds: i64, nanoseconds: i32) -> Value<'static> {
        Value::new(sys::LICET_KIND_TIMESTAMP, nanoseconds as u32, sys::licet_value_as { signed_: seconds })
    }

    /// A duration by seconds and nanoseconds of the same sign.
    pub fn duration(seconds: i64, nanoseconds: i32) -> Value<'static> {
        Value::new(sys::LICET_KIND_DURATION, nanoseconds as u32, sys::licet_value_as { signed_: seconds })
    }
}

impl From<bool> for Value<'_> {
    #[inline]
    fn from(truth: bool) -> Self {
        Value::new(sys::LICET_KIND_BOOL, 0, sys::licet_value_as { unsigned_: truth.into() })
    }
}

macro_rules! integers {
    ($($kind:ty => $licet:ident $member:ident $wide:ty),* $(,)?) => {$(
        impl From<$kind> for Value<'_> {
            #[inline]
            fn from(number: $kind) -> Self {
                Value::new(sys::$licet, 0, sys::licet_value_as { $member: <$wide>::from(number) })
            }
        }
    )*};
}

integers! {
    i8 => LICET_KIND_INT signed_ i64, i16 => LICET_KIND_INT signed_ i64, i32 => LICET_KIND_INT signed_ i64,
    i64 => LICET_KIND_INT signed_ i64,
    u8 => LICET_KIND_UINT unsigned_ u64, u16 => LICET_KIND_UINT unsigned_ u64, u32 => LICET_KIND_UINT unsigned_ u64,
    u64 => LICET_KIND_UINT unsigned_ u64,
    f32 => LICET_KIND_DOUBLE floating f64, f64 => LICET_KIND_DOUBLE floating f64,
}

// No `From` of the standard library's widens these.
impl From<usize> for Value<'_> {
    #[inline]
    fn from(number: usize) -> Self {
        Value::from(number as u64)
    }
}

impl From<isize> for Value<'_> {
    #[inline]
    fn from(number: isize) -> Self {
        Value::from(number as i64)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    #[inline]
    fn from(text: &'v str) -> Self {
        Value::new(sys::LICET_KIND_STRING, length(text.len()), sys::licet_value_as { bytes: text.as_ptr().cast() })
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        text.as_str().into()
    }
}

/// What is out of range is refused when it is set.
impl From<SystemTime> for Value<'_> {
    fn from(time: SystemTime) -> Self {
        let (seconds, nanoseconds) = since_1970(time);
        Value::timestamp(seconds, nanoseconds)
    }
}

/// What is out of range is refused when it is set.
impl From<Duration> for Value<'_> {
    fn from(duration: Duration) -> Self {
        Value::duration(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX), duration.subsec_nanos() as i32)
    }
}

/// Seconds, rounded down, and the nanoseconds after them.
pub(crate) fn since_1970(time: SystemTime) -> (i64, i32) {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (i64::try_from(after.as_secs()).unwrap_or(i64::MAX), after.subsec_nanos() as i32),
        Err(error) => {
            let before = error.duration();
            let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            match before.subsec_nanos() as i32 {
                0 => (-seconds, 0),
                nanoseconds => (-seconds - 1, 1_000_000_000 - nanoseconds),
            }
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (as_, count) = (self.raw.as_, self.raw.length as usize);
        // SAFETY: each kind was made with this member, and with the length of a slice that is borrowed still; one that was
        // cut to `u32::MAX` only shows less.
        unsafe {
            match self.raw.kind {
                sys::LICET_KIND_NULL => f.write_str("null"),
                sys::LICET_KIND_BOOL => fmt::Debug::fmt(&(as_.unsigned_ != 0), f),
                sys::LICET_KIND_INT => fmt::Debug::fmt(&as_.signed_, f),
                sys::LICET_KIND_UINT => fmt::Debug::fmt(&as_.unsigned_, f),
                sys::LICET_KIND_DOUBLE => fmt::Debug::fmt(&as_.floating, f),
                sys::LICET_KIND_STRING => {
                    let bytes = std::slice::from_raw_parts(as_.bytes.cast::<u8>(), count);
                    fmt::Debug::fmt(&String::from_utf8_lossy(bytes), f)
                }
                sys::LICET_KIND_BYTES => {
                    f.debug_list().entries(std::slice::from_raw_parts(as_.bytes.cast::<u8>(), count)).finish()
                }
                sys::LICET_KIND_LIST => {
                    let elements = std::slice::from_raw_parts(as_.elements.cast::<Value<'_>>(), count);
                    f.debug_list().entries(elements).finish()
                }
                sys::LICET_KIND_MAP => {
                    let pairs = std::slice::from_raw_parts(as_.elements.cast::<[Value<'_>; 2]>(), count);
                    f.debug_map().entries(pairs.iter().map(|[key, value]| (key, value))).finish()
                }
                sys::LICET_KIND_TIMESTAMP => write!(f, "timestamp({}, {})", as_.signed_, self.raw.length as i32),
                _ => write!(f, "duration({}, {})", as_.signed_, self.raw.length as i32),
            }
        }
    }
}
