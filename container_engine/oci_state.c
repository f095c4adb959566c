#include "container_engine/oci_state.h"

#include "container_engine/json.h"

#include <errno.h>
#include <limits.h>

static int wrong(const char *what, struct error *error)
{
	error_set(error, EINVAL, "the state on the standard input %s", what);
	error_hint(error, "the command is an OCI hook: a runtime starts it and writes the state "
			  "of the container (OCI runtime-spec, \"State\")");
	return error_code(error, CODE_OCI_STATE);
}

static int state_read(const json_t *json, struct arena *arena, struct oci_state *ret_state,
		      struct error *error)
{
	const char *id = engine_json_text(json, "id");
	const json_t *pid = json_object_get(json, "pid");
	if (!json_is_object(json))
		return wrong("is not a JSON object", error);
	if (!id || !*id)
		return wrong("has no \"id\"", error);
	/* The runtime specification omits it if the container does not run. */
	if (pid && !json_is_integer(pid))
		return wrong("has a \"pid\" that is not a number", error);
	const json_int_t number = json_integer_value(pid);
	if (number < 0 || number > INT_MAX)
		return wrong("has a \"pid\" that is not a process id", error);
	const char *bundle = engine_json_text(json, "bundle");
	*ret_state = (struct oci_state){.id = arena_strdup(arena, id),
					.pid = (pid_t)number,
					.bundle = bundle ? arena_strdup(arena, bundle) : NULL};
	return 0;
}

int oci_state_parse(const char *bytes, size_t size, struct arena *arena,
		    struct oci_state *ret_state, struct error *error)
{
	json_t *json = engine_json_parse(bytes, size);
	const int status = state_read(json, arena, ret_state, error);
	json_decref(json);
	return status;
}
