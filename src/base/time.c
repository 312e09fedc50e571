/* Dates by the proleptic Gregorian calendar, UTC, no leap seconds (a day has
 * 86,400 s, as in POSIX). Days are counted with years that begin in March, so
 * that the leap day comes last. */
#include "base/time.h"

#include <time.h>

#define US_SECOND ((int64_t)1000000)
#define US_MINUTE (60 * US_SECOND)
#define US_HOUR (60 * US_MINUTE)
#define US_DAY (24 * US_HOUR)

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z. */
#define US_MIN (-62167219200 * US_SECOND)
#define US_MAX (253402300800 * US_SECOND - 1)

__extension__ typedef __int128 wide;

static int64_t clock_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * US_SECOND + ts.tv_nsec / 1000;
}

static int64_t system_now(struct clock *clock)
{
    (void)clock;
    return clock_us(CLOCK_REALTIME);
}

struct clock clock_system = {system_now};

int64_t time_now(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t time_monotonic(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

struct date {
    int64_t year;
    int month, day; /* from 1 */
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int64_t year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : DAYS[month - 1];
}

/* Days since 1970-01-01. An era is 400 years, 146,097 days. */
static int64_t days_of(struct date d)
{
    int64_t year = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int month = d.month > 2 ? d.month - 3 : d.month + 9; /* from March */
    int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct date date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    uint32_t day_of_era = (uint32_t)(days - era * 146097);
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month = (5 * day_of_year + 2) / 153;
    struct date d;
    d.day = (int)(day_of_year - (153 * month + 2) / 5) + 1;
    d.month = (int)(month < 10 ? month + 3 : month - 9);
    d.year = year_of_era + era * 400 + (d.month <= 2);
    return d;
}

/* Exactly n digits off the front of *s. */
static bool take_digits(struct str *s, size_t n, int *out)
{
    int v = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *out = v;
    *s = str_from(*s, n);
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool take_date(struct str *s, int64_t *us)
{
    struct date d;
    int year;
    if (!take_digits(s, 4, &year) || !take_char(s, '-') || !take_digits(s, 2, &d.month) ||
        !take_char(s, '-') || !take_digits(s, 2, &d.day))
        return false;
    d.year = year;
    if (d.month < 1 || d.month > 12 || d.day < 1 || d.day > month_days(year, d.month))
        return false;
    *us = days_of(d) * US_DAY;
    return true;
}

/* One to six digits behind '.' or ','; nothing is fine too. */
static bool take_fraction(struct str *s, int64_t *us)
{
    *us = 0;
    if (!take_char(s, '.') && !take_char(s, ','))
        return true;
    int64_t unit = US_SECOND;
    int digit;
    while (unit > 1 && take_digits(s, 1, &digit)) {
        unit /= 10;
        *us += digit * unit;
    }
    return unit < US_SECOND;
}

static bool take_clock(struct str *s, int64_t *us)
{
    int hour, minute, second;
    int64_t fraction;
    if (!take_digits(s, 2, &hour) || !take_char(s, ':') || !take_digits(s, 2, &minute) ||
        !take_char(s, ':') || !take_digits(s, 2, &second) || !take_fraction(s, &fraction))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *us = hour * US_HOUR + minute * US_MINUTE + second * US_SECOND + fraction;
    return true;
}

bool time_parse(struct str s, int64_t *us)
{
    int64_t date, clock;
    if (!take_date(&s, &date) || !take_char(&s, 'T') || !take_clock(&s, &clock) ||
        !take_char(&s, 'Z') || s.n)
        return false;
    *us = date + clock;
    return true;
}

/* "Z", "+02:00", "-0130" or nothing, in minutes east of UTC. */
static bool take_zone(struct str *s, int absent, int *minutes)
{
    int hour, minute;
    *minutes = absent;
    if (s->n == 0)
        return true;
    *minutes = 0;
    if (take_char(s, 'Z'))
        return true;
    int sign = take_char(s, '-') ? -1 : 1;
    if (sign > 0 && !take_char(s, '+'))
        return false;
    if (!take_digits(s, 2, &hour))
        return false;
    take_char(s, ':');
    if (!take_digits(s, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

bool time_parse_lenient(struct str s, int zone_minutes, int64_t *us)
{
    int64_t date, clock;
    int zone;
    if (!take_date(&s, &date) || !(take_char(&s, 'T') || take_char(&s, ' ')) ||
        !take_clock(&s, &clock) || !take_zone(&s, zone_minutes, &zone) || s.n)
        return false;
    int64_t t = date + clock - zone * US_MINUTE;
    if (t < US_MIN || t > US_MAX)
        return false;
    *us = t;
    return true;
}

bool time_parse_date(struct str s, int64_t *us)
{
    int64_t date;
    if (!take_date(&s, &date) || s.n)
        return false;
    *us = date;
    return true;
}

bool time_parse_clock(struct str s, int64_t *us)
{
    int64_t clock;
    if (!take_clock(&s, &clock) || !take_char(&s, 'Z') || s.n)
        return false;
    *us = clock;
    return true;
}

static char *put_digits(char *p, uint32_t v, int n)
{
    for (int i = n; i-- > 0; v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + n;
}

/* Two digits and what separates them from the next. */
static char *put_pair(char *p, uint32_t v, char behind)
{
    p[0] = (char)('0' + v / 10);
    p[1] = (char)('0' + v % 10);
    p[2] = behind;
    return p + 3;
}

static int64_t clamp(wide us)
{
    return us < US_MIN ? US_MIN : us > US_MAX ? US_MAX : (int64_t)us;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

size_t time_format(int64_t us, char out[TIME_TEXT_MAX])
{
    us = us < US_MIN ? US_MIN : us > US_MAX ? US_MAX : us;
    int64_t days = floor_div(us, US_DAY);
    int64_t rest = us - days * US_DAY;
    uint32_t second = (uint32_t)(rest / US_SECOND), fraction = (uint32_t)(rest % US_SECOND);
    struct date d = date_of(days);
    char *p = put_digits(out, (uint32_t)d.year, 4);
    *p++ = '-';
    p = put_pair(p, (uint32_t)d.month, '-');
    p = put_pair(p, (uint32_t)d.day, 'T');
    p = put_pair(p, second / 3600, ':');
    p = put_pair(p, second / 60 % 60, ':');
    p = put_pair(p, second % 60, '.');
    if (fraction == 0)
        p--;
    else
        p = fraction % 1000 ? put_digits(p, fraction, 6) : put_digits(p, fraction / 1000, 3);
    *p++ = 'Z';
    *p = 0;
    return (size_t)(p - out);
}

void buf_time(struct buf *b, int64_t us)
{
    if (buf_reserve(b, TIME_TEXT_MAX))
        b->n += time_format(us, b->p + b->n);
}

int64_t time_add(int64_t us, struct duration d, int64_t times)
{
    us = clamp(us);
    int64_t days = floor_div(us, US_DAY);
    struct date date = date_of(days);
    wide month = (wide)d.months * times + date.year * 12 + date.month - 1;
    if (month < 0)
        return US_MIN;
    if (month >= 10000 * 12)
        return US_MAX;
    date.year = (int64_t)month / 12;
    date.month = (int)(month % 12) + 1;
    int last = month_days(date.year, date.month);
    if (date.day > last)
        date.day = last;
    wide sum = (wide)days_of(date) * US_DAY + (us - days * US_DAY) + (wide)d.us * times;
    return clamp(sum);
}
