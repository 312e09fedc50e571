/* The parse bound: simdjson alone over the same bytes, every member visited.
 *
 *   parse_bound FILE [SECONDS]     FILE: a JSON array of entities */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <simdjson.h>

static size_t visit(simdjson::dom::element e)
{
    size_t n = 1;
    if (e.is_array()) {
        for (auto item : simdjson::dom::array(e))
            n += visit(item);
    } else if (e.is_object()) {
        for (auto member : simdjson::dom::object(e))
            n += member.key.size() + visit(member.value);
    }
    return n;
}

int main(int argc, char **argv)
{
    simdjson::padded_string text;
    if (argc < 2 || simdjson::padded_string::load(argv[1]).get(text) != simdjson::SUCCESS) {
        std::fprintf(stderr, "usage: parse_bound FILE [SECONDS]\n");
        return 1;
    }
    double seconds = argc > 2 ? std::atof(argv[2]) : 3;
    simdjson::dom::parser parser;
    size_t rounds = 0, entities = 0, sum = 0;
    auto start = std::chrono::steady_clock::now();
    double spent;
    do {
        simdjson::dom::element document;
        if (parser.parse(text).get(document) != simdjson::SUCCESS)
            return 1;
        entities += simdjson::dom::array(document).size();
        sum += visit(document);
        rounds++;
        spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    } while (spent < seconds);
    std::printf("{\"entities_per_second\":%.0f,\"bytes_per_second\":%.0f,\"visited\":%zu}\n",
                static_cast<double>(entities) / spent, static_cast<double>(rounds * text.size()) / spent, sum);
    return 0;
}
