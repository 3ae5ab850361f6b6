/* Codes of the loader's findings, BC1001..BC1999: stable for ever, never reused.
 * Their sentences stand in lib/text/messages_doc.inc. */
#pragma once

enum bao_doc_code {
    /* Limits and encodings. */
    BAO_BC_PARSE = 1001,     /* a YAML fault without a sentence of its own */
    BAO_BC_TOO_LARGE = 1002, /* arg 0: octets allowed */
    BAO_BC_NO_DOCUMENT = 1003,
    BAO_BC_TWO_DOCUMENTS = 1004,
    BAO_BC_NOT_UTF8 = 1005, /* arg 0: the octet in hexadecimal */
    BAO_BC_NOT_UTF16 = 1006,
    BAO_BC_CONTROL = 1007,        /* a control character */
    BAO_BC_DEPTH = 1008,          /* arg 0: levels allowed */
    BAO_BC_NODES = 1009,          /* arg 0: values allowed */
    BAO_BC_SCALAR_LONG = 1010,    /* arg 0: octets allowed */
    BAO_BC_KEY_LONG = 1011,       /* arg 0: octets allowed */
    BAO_BC_ALIASES = 1012,        /* arg 0: uses allowed */
    BAO_BC_TAG_DIRECTIVES = 1013, /* arg 0: allowed */
    BAO_BC_OTHER_FILE = 1014,     /* a document of Word, Excel … ; arg 0: which, by its programs' names */

    /* Meaning. */
    BAO_BC_TWIN_KEY = 1020, /* arg 0: key, 1: line of the first, 2: line of the second */
    BAO_BC_NULL_KEY = 1021,
    BAO_BC_COLLECTION_KEY = 1022,
    BAO_BC_MERGE_KEY = 1023,
    BAO_BC_NO_ANCHOR = 1024,    /* arg 0: name */
    BAO_BC_SELF_ALIAS = 1025,   /* arg 0: name */
    BAO_BC_TAG_UNKNOWN = 1026,  /* arg 0: tag */
    BAO_BC_TAG_MISMATCH = 1027, /* arg 0: tag, 1: value */
    BAO_BC_NUMBER_RANGE = 1028,
    BAO_BC_NOT_FINITE = 1029, /* arg 0: as written */
    BAO_BC_SURROGATE = 1030,
    BAO_BC_THOUSAND = 1031, /* arg 0: as written, 1: as a whole number, 2: with one digit after the point */
    BAO_BC_DECIMAL_COMMA = 1032, /* arg 0: as written (38,5), 1: with a point */

    /* JSON. */
    BAO_BC_JSON_VALUE = 1040,
    BAO_BC_JSON_QUOTE = 1041, /* a string without its closing quote */
    BAO_BC_JSON_ESCAPE = 1042,
    BAO_BC_JSON_CONTROL = 1043, /* a raw control, mostly a line break, in a string */
    BAO_BC_JSON_NUMBER = 1044,
    BAO_BC_JSON_COMMA = 1045, /* neither comma nor closing bracket after a value */
    BAO_BC_JSON_LAST_COMMA = 1046,
    BAO_BC_JSON_COLON = 1047,
    BAO_BC_JSON_KEY = 1048,
    BAO_BC_JSON_END = 1049,   /* the file ends too early */
    BAO_BC_JSON_AFTER = 1050, /* more after the value */

    /* YAML. */
    BAO_BC_YAML_TAB = 1060,         /* a tab indents */
    BAO_BC_YAML_NO_COLON = 1061,    /* arg 0: the line */
    BAO_BC_YAML_COLON_SPACE = 1062, /* arg 0: as written, 1: with the space */
    BAO_BC_YAML_QUOTE = 1063,       /* a quote that is not closed */
    BAO_BC_YAML_INDENT = 1064,
    BAO_BC_YAML_SPECIAL = 1065, /* arg 0: the character a text may not begin with */
    BAO_BC_YAML_BRACKET = 1066, /* arg 0: the bracket that is not closed */
    BAO_BC_YAML_FLOW = 1067,    /* no comma between two values in brackets */
    BAO_BC_YAML_ESCAPE = 1068,
    BAO_BC_YAML_TWO_COLONS = 1069, /* arg 0: the text to put in quotes */
    BAO_BC_YAML_AFTER_QUOTE = 1070,
    BAO_BC_YAML_LIST_INLINE = 1071, /* a list begun behind "key:" */
    BAO_BC_YAML_BLOCK = 1072,       /* something behind | or > */
    BAO_BC_YAML_DIRECTIVE = 1073,
    BAO_BC_YAML_DASH = 1075,       /* a list goes on without its dash */
    BAO_BC_YAML_SPACE = 1076,      /* a space that no key types, where YAML wants a plain one */
    BAO_BC_YAML_WIDE_COLON = 1077, /* U+FF1A behind a name; arg 0: the name, 1: the line mended */
    BAO_BC_YAML_LONG_KEY = 1078,   /* "name: value" with too long a name; arg 0: characters allowed */
};
