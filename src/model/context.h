/* JSON-LD 1.1 @contexts as NGSI-LD uses them (CIM 009 clauses 4.4, 5.5.5, 5.5.7):
 * building an active context, expanding and compacting names.
 *
 * A context is immutable once built, may be used from any thread, and is
 * reference-counted. The core context (v1.9, whichever version a document names) is
 * part of every context and stands as if in the last position: its terms cannot be
 * redefined, and its @vocab takes every name that no term takes. A user's @vocab
 * serves the definitions of the user's own terms. @base, @language and @direction say
 * nothing about names and are only checked. Nothing here fetches: a builder asks a
 * loader for remote documents and says which one is missing, so that the caller can
 * fetch it and build again. */
#ifndef MODEL_CONTEXT_H
#define MODEL_CONTEXT_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "base/str.h"
#include "model/terms.h"

#include <stdbool.h>
#include <stdint.h>

struct context;

struct context_limits {
    uint32_t terms_max;     /* definitions in one context, "limits.context_terms" */
    uint32_t remotes_max;   /* remote documents in one context, "limits.context_remotes" */
    uint32_t depth_max;     /* nesting of arrays and remote documents, and definitions that need one another,
                               "limits.context_depth" */
    bool scoped_refused;    /* clause 5.5.7: a scoped context is E_BAD_DATA; else it is validated and has no
                               effect on NGSI-LD elements. Documents built in may always have one. */
};

/* Gives the parsed remote document at url (its whole JSON; the builder takes its
 * "@context" member). Returns NULL when it is not at hand: the build then ends with
 * E_CONTEXT and the missing url. Borrowed until the build returns. */
struct context_loader {
    const struct json *(*load)(struct context_loader *loader, struct str url);
};

/* Builds the active context of spec (the value of "@context": string, object, array), or the
 * core context alone when spec is NULL. Relative references are resolved against base (may be
 * absent). *missing: url of the document to fetch when E_CONTEXT is returned (in arena a).
 * E_BAD_DATA with pointer for an invalid context. The core contexts (every version, and the
 * unversioned) are built in and never asked of the loader. Caller owns one reference. */
MUST_USE enum status context_build(struct context **out, const struct json *spec, struct str base,
                                   struct context_loader *loader, const struct context_limits *limits,
                                   struct arena *a, struct str *missing, struct why *why);
struct context *context_ref(struct context *c);
void context_unref(struct context *c);
/* The core context; never freed. context_setup is called once by main before threads start; tests may call it
 * again, with other terms, when no context is in use. */
void context_setup(struct terms *terms);
struct context *context_core(void);
/* Bytes held, for cache bounds. They grow as names are compacted. */
size_t context_bytes(const struct context *c);
/* From now on *account has these bytes added to it, now and as they grow, instead of the account before, which has
 * them taken back; NULL: none. The account must outlive that. No effect on the core, which is nobody's. Thread-safe. */
void context_account(struct context *c, _Atomic size_t *account);

/* True for an IRI of one of ETSI's core contexts, built in. */
bool context_is_core_iri(struct str iri);
/* The JSON document ({"@context": …}) of that IRI, generated from api/core_context.tsv: every version of the core
 * context, and https://w3id.org/security/data-integrity/v2, to which v1.9 refers. NULL if not built in. Static. */
const struct json *context_core_document(struct str iri);
/* IRI to announce in Link headers and bodies for the core context alone (v1.9). */
struct str context_core_iri(void);

/* Expands a type, attribute or vocab name (JSON-LD IRI expansion, vocab true): terms, compact IRIs,
 * absolute IRIs, else @vocab (the default context). The result lives in arena or in c. Keywords and names
 * that expand to nothing (null mapping) give an absent str. */
struct str context_expand(const struct context *c, struct str name, struct arena *a);
/* The same, to a term id; memoised, so that the hot path is one hash and its look-ups.
 * intern: false looks up only (TERM_NONE when the store has never seen it). TERM_NONE with why untouched: the
 * name expands to nothing; with why set: the table of terms is full. */
uint32_t context_expand_term(const struct context *c, struct str name, bool intern, struct arena *a,
                             struct why *why);
/* Compacts a vocab IRI: term, compact IRI, suffix of @vocab, else the IRI itself. Core terms first.
 * Result borrowed from c or the arena or iri. */
struct str context_compact(const struct context *c, struct str iri, struct arena *a);
/* The same for an interned term; memoised by id: an array look-up on the hot path. Borrowed from c or the terms. */
struct str context_compact_term(const struct context *c, uint32_t term);
/* The IRI of an interned term. Borrowed from the terms. */
struct str context_term_iri(const struct context *c, uint32_t term);

/* Type coercion declared for a name (JSON-LD "@type" of its definition): absent when none; "@id", "@vocab",
 * "@json", or a datatype IRI. */
struct str context_coercion(const struct context *c, struct str name);
/* "@container" of a name: absent, "@list", "@set", "@language" … */
struct str context_container(const struct context *c, struct str name);

#endif
