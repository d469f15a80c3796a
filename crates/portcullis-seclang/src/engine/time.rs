//! The `TIME…` variables, in UTC.

use crate::engine::state::write_number;
use crate::syntax::Variable;

/// A moment, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time {
    epoch: i64,
    year: i64,
    month: i64,
    day: i64,
    weekday: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Time {
    /// The civil date by Howard Hinnant's algorithm (days of eras of 400 years).
    pub(crate) fn of_unix_micros(micros: u64) -> Self {
        let epoch = (micros / 1_000_000) as i64;
        let (days, second_of_day) = (epoch / 86_400, epoch % 86_400);
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        Time {
            epoch,
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_index + 2) / 5 + 1,
            weekday: (days + 4) % 7,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }

    /// Appends what a variable shows of it.
    pub(crate) fn write(&self, variable: Variable, out: &mut Vec<u8>) {
        let number = match variable {
            Variable::TimeEpoch => self.epoch,
            Variable::TimeYear => self.year,
            Variable::TimeMon => self.month,
            Variable::TimeDay => self.day,
            Variable::TimeWday => self.weekday,
            Variable::TimeHour => self.hour,
            Variable::TimeMin => self.minute,
            Variable::TimeSec => self.second,
            _ => {
                let time = format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second);
                out.extend_from_slice(time.as_bytes());
                return;
            }
        };
        write_number(number, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(epoch: u64, expected: &str) {
        let time = Time::of_unix_micros(epoch * 1_000_000);
        let Time { year, month, day, weekday, hour, minute, second, .. } = time;
        assert_eq!(format!("{year}-{month}-{day} ({weekday}) {hour}:{minute}:{second}"), expected);
    }

    #[test]
    fn knows_the_calendar() {
        check(0, "1970-1-1 (4) 0:0:0");
        check(951_782_400, "2000-2-29 (2) 0:0:0");
        check(1_700_000_000, "2023-11-14 (2) 22:13:20");
        check(4_102_444_799, "2099-12-31 (4) 23:59:59");
    }
}
