/* From entity trees to JSON: normalized, concise, simplified and GeoJSON
 * representations (CIM 009 clauses 4.5.1 … 4.5.24), projection, language filter. */
#ifndef MODEL_REPRESENT_H
#define MODEL_REPRESENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/context.h"
#include "model/entity.h"

struct link_node;

enum represent_format { REPRESENT_NORMALIZED, REPRESENT_CONCISE, REPRESENT_SIMPLIFIED };

/* pick / omit / attrs, clause 4.21. */
struct projection {
    bool id, type, scope;   /* named explicitly; for attrs, which does not name them, the caller sets all three */
    uint32_t count;
    uint32_t *terms;        /* sorted; names the city has never seen are left out */
    struct projection **linked; /* per term, NULL when none: relation{…} */
};

struct represent {
    uint8_t format; /* enum represent_format */
    bool geojson;
    bool sys_attrs; /* createdAt, modifiedAt and expiresAt (clauses 4.22, 6.3.11) */
    const struct context *context;
    struct arena *arena; /* scratch */
    const struct projection *pick; /* NULL: everything */
    const struct projection *omit;
    struct str lang;              /* absent: language maps as they are */
    const struct str *datasets;   /* datasetId filter; "@none" is the default instance */
    uint32_t dataset_count;
    uint32_t geometry_property;   /* GeoJSON: term; location by default */
    bool geometry_given;
    struct str at_context;        /* JSON text of the "@context" member of each entity; absent: none */
    const struct entity *previous; /* showChanges: the version before; what changed since shows its previousValue … */
    int64_t deleted_at;           /* when what is NGSI-LD Null was deleted: shown with sys_attrs; 0: unknown */
    bool deleted;                 /* the entity itself was: its deletedAt shows in any case (clause 5.8.6) */
    const struct link_node *links; /* NULL, or the entity's place in an inline graph of linked entities (model/links.h) */
    bool in_list;                 /* between represent_list_open and _close: GeoJSON then has one "@context",
                                     the collection's (clause 4.5.16.3) */
};

/* One entity as a JSON object (a Feature with geojson). */
void represent_entity(struct buf *b, const struct represent *r, const struct entity *e);
/* One attribute (all its instances), as GET …/attrs/{name} would show it. */
void represent_attr(struct buf *b, const struct represent *r, const struct attr *instances, uint32_t count);
/* Does anything of e show? An entity of which a projection leaves nothing counts as not found. */
bool represent_leaves(const struct represent *r, const struct entity *e);
/* What of e shows, as a tree: a snapshot of it. Types always stay, and so do the id and the times. */
void represent_keep(const struct represent *r, const struct entity *e, struct entity *out);
/* Opening and closing of a list of entities: "[" … "]" or a FeatureCollection. Whoever writes the entities
 * sets in_list and puts the commas. */
void represent_list_open(struct buf *b, const struct represent *r);
void represent_list_close(struct buf *b, const struct represent *r);

struct projection_limits { uint32_t names_max, depth_max; };
/* Parses "a,b{c,d}" (or with '|'); E_BAD_DATA with the column. */
MUST_USE enum status projection_read(struct projection **out, struct str text, const struct context *context,
                                     const struct projection_limits *limits, struct arena *a, struct why *why);
/* The text as model/iri_text.h has it, in the arena, to be read without a @context. Same errors. */
MUST_USE enum status projection_store(struct str *stored, struct str text, const struct context *context,
                                      const struct projection_limits *limits, struct arena *a, struct why *why);
/* Such a text, or several with commas between. *unknown is set when no entity has had one of the names yet. */
MUST_USE enum status projection_read_stored(struct projection **out, struct str stored, const struct terms *terms,
                                            const struct projection_limits *limits, struct arena *a, bool *unknown,
                                            struct why *why);
bool projection_has(const struct projection *p, uint32_t term);
/* Of the entities that relation term leads to: relation{…}, or NULL. */
const struct projection *projection_linked(const struct projection *p, uint32_t term);
/* As omit: is the attribute itself left out, not only members of the entities it links to? */
bool projection_omits(const struct projection *p, uint32_t term);

#endif
