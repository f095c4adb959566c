/* Prints results as JSON, one document on stdout. */
#ifndef CMD_OUTPUT_JSON_H
#define CMD_OUTPUT_JSON_H

#include "lib/json_text.h"
#include "reconcile/apply/apply.h"
#include "reconcile/plan/plan.h"
#include "schema/diag.h"

#include <jansson.h>

/* The version of the output's format, "version" in every document: see docs/reference/json.md. */
#define JSON_FORMAT_VERSION 1

/* {"errors": [{"code", "file", "line", "column", "message", "hint"}, ...]} */
json_t *json_diags(const struct diags *diags);
/* outcomes may be NULL: nothing was applied. */
json_t *json_plan(const struct plan *plan, const struct live *live, const struct outcome *outcomes);
/* [{"code", "message", "hint"}], or [] for one with CODE_NONE. */
json_t *json_errors(const struct error *error);
/* {"errors": [...]} with the error */
json_t *json_error(const struct error *error);

/* "MV0201", or null for CODE_NONE. */
json_t *json_code(enum code code);
/* A sentence for each warning of the plan. */
json_t *json_warnings(const struct plan *plan);
json_t *json_steps(const struct plan *plan, const struct outcome *outcomes);
/* The steps that were done. */
json_t *json_steps_done(const struct plan *plan, const struct outcome *outcomes);
/* Inserts these steps before those of json_plan's document, and counts them in its summary. */
void json_plan_precede(json_t *document, json_t *steps);
json_t *json_step(const struct step *step, const struct outcome *outcome);
const char *action_name(enum action action);

/* The same members after "version". Takes ownership of the document. */
json_t *json_versioned(json_t *document);
/* Writes the document with its version and exit code, and frees it; or reports that a value is
 * missing. Returns the exit code. */
int json_finish(json_t *document, int exit_code);

#endif
