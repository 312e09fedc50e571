/* The mappings that are built in, as text: generated from share/mappings. */
#ifndef SENSE_MAPPING_TABLE_H
#define SENSE_MAPPING_TABLE_H

struct mapping_text {
    const char *name; /* NULL ends the table */
    const char *text;
};
extern const struct mapping_text mapping_table[];

#endif
