/* Codes of the loader's findings, BC1001..BC1999: stable for ever, never reused.
 * Their sentences stand in lib/text/messages_doc.inc. */
#pragma once

enum bao_doc_code {
    BAO_BC_PARSE = 1001, /* general syntax error; arg 0: what the parser saw */
};
