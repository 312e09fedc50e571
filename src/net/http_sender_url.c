/* Which URLs are plain enough, and the head of a request. */
#include "net/http_sender_int.h"

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
}

static bool host_parse(struct str authority, struct url *out)
{
    struct str rest;
    if (authority.n && authority.p[0] == '[') {
        size_t end = str_find_char(authority, ']');
        if (end == STR_NPOS)
            return false;
        out->host = str_head(str_from(authority, 1), end - 1);
        rest = str_from(authority, end + 1);
        struct address six;
        if (str_find_char(out->host, ':') == STR_NPOS || !resolve_numeric(out->host, 0, &six))
            return false;
    } else {
        size_t colon = str_find_char(authority, ':');
        out->host = str_head(authority, colon);
        rest = str_from(authority, colon);
        for (size_t i = 0; i < out->host.n; i++)
            if (!is_host_char(out->host.p[i]))
                return false;
    }
    unsigned long long port = 80;
    if (rest.n > 1 && (rest.p[0] != ':' || !str_to_u64(str_from(rest, 1), 65535, &port) || port == 0))
        return false;
    out->port = (uint16_t)port;
    return out->host.n > 0 && out->host.n <= 255 && (rest.n == 0 || rest.p[0] == ':');
}

bool http_url_parse(struct str url, struct url *out)
{
    if (!str_eq_fold(str_head(url, 7), STR("http://")))
        return false;
    struct str rest = str_from(url, 7);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
        end++;
    out->authority = str_head(rest, end);
    out->path = str_from(rest, end);
    out->path = str_head(out->path, str_find_char(out->path, '#'));
    for (size_t i = 0; i < out->path.n; i++)
        if ((unsigned char)out->path.p[i] <= 0x20 || (unsigned char)out->path.p[i] >= 0x7f)
            return false;
    return host_parse(out->authority, out);
}

bool http_sender_takes(struct str url)
{
    struct url u;
    return http_url_parse(url, &u);
}

bool http_header_is_transport(struct str name)
{
    static const struct str names[] = {{"Content-Length", 14}, {"Transfer-Encoding", 17}, {"Connection", 10},
                                       {"Host", 4},            {"Keep-Alive", 10},        {"Expect", 6},
                                       {"TE", 2},              {"Trailer", 7},            {"Upgrade", 7},
                                       {"Proxy-Connection", 16}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name.n == names[i].n && str_eq_fold(name, names[i]))
            return true;
    return false;
}

static bool is_token(unsigned char c)
{
    static const char others[] = "!#$%&'*+.^_`|~";
    return c == '-' || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || (c != 0 && strchr(others, c));
}

static bool header_sound(struct str h, size_t colon)
{
    bool sound = colon != STR_NPOS && colon > 0;
    for (size_t i = 0; sound && i < colon; i++)
        sound = is_token((unsigned char)h.p[i]);
    for (size_t i = 0; sound && i < h.n; i++) {
        unsigned char c = (unsigned char)h.p[i];
        sound = (c >= 0x20 || c == '\t') && c != 0x7f;
    }
    return sound;
}

enum status http_head_write(struct buf *b, const struct http_sender *s, struct http_post *p)
{
    struct url u;
    bool plain = http_url_parse(p->url, &u);
    if (!plain)
        return why_set(&p->why, E_BAD_DATA, NULL, "the URL is none of plain HTTP");
    buf_clear(b);
    buf_lit(b, "POST ");
    if (u.path.n == 0 || u.path.p[0] != '/')
        buf_char(b, '/');
    buf_str(b, u.path);
    buf_lit(b, " HTTP/1.1\r\nHost: ");
    buf_str(b, u.authority);
    buf_lit(b, "\r\nUser-Agent: ");
    buf_str(b, s->user_agent);
    buf_lit(b, "\r\nAccept: */*\r\nContent-Length: ");
    buf_u64(b, p->body.n);
    for (uint32_t i = 0; i < p->header_count; i++) {
        struct str h = p->headers[i];
        size_t colon = str_find_char(h, ':');
        if (!header_sound(h, colon))
            return why_set(&p->why, E_BAD_DATA, NULL, "'%.*s' is no header", STR_ARG(str_head(str_head(h, colon), 100)));
        if (http_header_is_transport(str_head(h, colon)))
            continue;
        buf_lit(b, "\r\n");
        buf_str(b, h);
    }
    buf_lit(b, "\r\n\r\n");
    return b->full ? why_set(&p->why, E_BAD_DATA, NULL, "the headers have more than %d bytes", HEAD_BYTES_MAX) : OK;
}
