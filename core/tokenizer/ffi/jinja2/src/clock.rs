//! strftime_now: the local time, or the one that AUTOMODEL_NOW fixes.

use std::ffi::CString;

use crate::error::{type_error, Result};

pub struct Clock {
    time: libc::tm,
    microsecond: u32,
}

impl Clock {
    /// The present.
    pub fn now() -> Clock {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let seconds = since_epoch.as_secs() as libc::time_t;
        // SAFETY: a zeroed tm is valid, and localtime_r writes only to the tm it is given.
        let time = unsafe {
            let mut time: libc::tm = std::mem::zeroed();
            libc::localtime_r(&seconds, &mut time);
            time
        };
        Clock { time, microsecond: since_epoch.subsec_micros() }
    }

    /// From "2024-07-26T12:00:00" (or with a blank, or the date alone).
    pub fn fixed(text: &str) -> Option<Clock> {
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
        let date = numbers(date, '-')?;
        let time = numbers(time, ':')?;
        let [year, month, day] = date;
        if !(1..=12).contains(&month)
            || !(1..=31).contains(&day)
            || time[0] > 23
            || time[1] > 59
            || time[2] > 60
        {
            return None;
        }
        // SAFETY: a zeroed tm is valid; timegm reads it and fills in the day of the week and year.
        let time = unsafe {
            let mut parts: libc::tm = std::mem::zeroed();
            parts.tm_year = year - 1900;
            parts.tm_mon = month - 1;
            parts.tm_mday = day;
            [parts.tm_hour, parts.tm_min, parts.tm_sec] = time;
            libc::timegm(&mut parts);
            parts
        };
        Some(Clock { time, microsecond: 0 })
    }

    /// datetime.strftime of a time without a zone.
    pub(crate) fn format(&self, format: &str) -> Result<String> {
        let mut pattern = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                pattern.push(c);
                continue;
            }
            match chars.next() {
                Some('f') => pattern.push_str(&format!("{:06}", self.microsecond)),
                Some('z' | 'Z') => {}
                Some(other) => pattern.extend(['%', other]),
                None => pattern.push('%'),
            }
        }
        if pattern.is_empty() {
            return Ok(String::new());
        }
        // strftime returns 0 for an empty result as for a full buffer; the mark keeps results from being empty.
        let Ok(pattern) = CString::new(format!("{pattern}|")) else {
            return type_error("embedded null character");
        };
        let mut buffer = vec![0_u8; 256 + 16 * pattern.as_bytes().len()];
        // SAFETY: the buffer's true length is given, and pattern and time outlive the call.
        let length =
            unsafe { libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), pattern.as_ptr(), &self.time) };
        buffer.truncate(length.saturating_sub(1));
        match String::from_utf8(buffer) {
            Ok(text) if length > 0 => Ok(text),
            _ => type_error("the time format is too long"),
        }
    }
}

fn numbers(text: &str, separator: char) -> Option<[i32; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<i32>().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}
