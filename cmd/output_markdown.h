/* Prints a plan as a pull request comment in the Markdown of GitHub and GitLab. */
#ifndef CMD_OUTPUT_MARKDOWN_H
#define CMD_OUTPUT_MARKDOWN_H

#include "cmd/output_text.h"

void markdown_plan(const struct text *text, const struct plan *plan, const struct live *live);

/* Escapes the text so that it is rendered literally, within one cell of a table. */
void markdown_put(FILE *out, const char *text);

#endif
