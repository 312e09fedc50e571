/* wellspring import: options of the configuration first, those of the import on top. */
#include "sense/import.h"

#include "main/command.h"
#include "main/request.h"

#include <stdio.h>

int command_import(struct config *config, int argc, char **argv)
{
    struct import_options o;
    struct why why;
    struct arena *a = arena_new(0);
    why_clear(&why);
    import_options_preset(&o);
    o.to = request_address(config, a).p;
    o.egress.refuse_count = config_strs(config, "egress", "refuse", &o.egress.refuse);
    o.egress.allow_count = config_strs(config, "egress", "allow", &o.egress.allow);
    int code = IMPORT_UNUSABLE;
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        printf("usage: wellspring import FILE|DIRECTORY|ADDRESS… [options]\n\n%s", import_usage);
        code = IMPORT_DONE;
    } else if (import_options_read(&o, argc, argv, &why) == OK) {
        code = import_run(&o);
    } else {
        code = command_usage(why.text);
    }
    arena_free(a);
    return code;
}
