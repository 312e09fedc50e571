/* The only file that knows RE2. Nothing here throws, but for memory that is out,
 * which ends the process as everywhere. */
extern "C" {
#include "model/pattern_re2.h"
}

#include <cstdio>
#include <memory>
#include <re2/re2.h>

/* Of one compiled pattern: its programs, and the automata that grow as it runs. */
static const int64_t MEMORY_MAX = 1 << 20;

struct pattern_re2 {
    RE2 re;
    pattern_re2(const re2::StringPiece &text, const RE2::Options &options) : re(text, options)
    {
    }
};

static RE2::Options posix_options()
{
    RE2::Options o;
    o.set_posix_syntax(true);
    o.set_longest_match(false); /* only whether there is one */
    o.set_perl_classes(true);
    o.set_word_boundary(true);
    o.set_one_line(true); /* ^ and $: the ends of the text, not of a line */
    o.set_dot_nl(true);
    o.set_never_capture(true);
    o.set_max_mem(MEMORY_MAX);
    o.set_log_errors(false);
    return o;
}

enum pattern_outcome pattern_re2_new(struct str text, struct pattern_re2 **out, char *error,
                                     size_t n)
{
    auto p = std::make_unique<pattern_re2>(re2::StringPiece(text.p, text.n), posix_options());
    if (p->re.ok()) {
        *out = p.release();
        return PATTERN_OK;
    }
    snprintf(error, n, "%s", p->re.error().c_str());
    bool large = p->re.error_code() == RE2::ErrorPatternTooLarge ||
                 p->re.error_code() == RE2::ErrorRepeatSize;
    return large ? PATTERN_LARGE : PATTERN_BROKEN;
}

void pattern_re2_free(struct pattern_re2 *p)
{
    delete p;
}

bool pattern_re2_find(const struct pattern_re2 *p, struct str text)
{
    return p->re.Match(re2::StringPiece(text.p, text.n), 0, text.n, RE2::UNANCHORED, nullptr, 0);
}
