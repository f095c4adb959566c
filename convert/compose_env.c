#include "convert/compose_env.h"

#include "convert/json_read.h"

#include <stdbool.h>
#include <string.h>

/* White space within a line. */
#define SPACES " \t\v\f\r"

struct env_file {
	struct interpolation *by;
	const char *file;
	const char *at; /* the rest to be read, up to NUL */
	const json_t *environment;
	json_t *variables;
};

static void assign(const struct env_file *env, const char *name, const char *value)
{
	if (!json_object_get(env->environment, name))
		json_object_set_new(env->variables, name, json_string(value));
}

static char escaped(char letter)
{
	static const char letters[] = "abfnrtv\\\"", characters[] = "\a\b\f\n\r\t\v\\\"";
	const char *found = letter ? strchr(letters, letter) : NULL;
	return found ? characters[found - letters] : '\0';
}

/* A backslash of a text in double quotes. Returns the character that it stands for. */
static size_t escape_put(const char *text, char **to)
{
	size_t digits = 0;
	unsigned octal = 0;
	if (text[1] == '$') { /* a dollar that begins no variable */
		*(*to)++ = '$';
		*(*to)++ = '$';
		return 2;
	}
	if (escaped(text[1])) {
		*(*to)++ = escaped(text[1]);
		return 2;
	}
	while (text[1] == '0' && digits < 3 && text[2 + digits] >= '0' && text[2 + digits] <= '7')
		octal = octal * 8 + (unsigned)(text[2 + digits++] - '0');
	if (digits == 3 && octal && octal < 0x80) {
		*(*to)++ = (char)octal;
		return 5;
	}
	*(*to)++ = '\\';
	return 1;
}

static const char *expand_escapes(struct arena *arena, const char *text)
{
	char *copy = arena_alloc(arena, 2 * strlen(text) + 1), *to = copy;
	while (*text)
		if (*text == '\\')
			text += escape_put(text, &to);
		else
			*to++ = *text++;
	*to = '\0';
	return copy;
}

/* The length of the text in quotes up to the closing one; SIZE_MAX: it has none. */
static size_t quoted_length(const char *text, char quote)
{
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == quote)
			return i;
		if (text[i] == '\\' && text[i + 1])
			i++;
	}
	return SIZE_MAX;
}

/* Without the backslashes before the quote itself. */
static const char *unquoted(struct arena *arena, const char *text, size_t length, char quote)
{
	char *copy = arena_alloc(arena, length + 1), *to = copy;
	for (size_t i = 0; i < length; i++) {
		const bool pair = text[i] == '\\' && i + 1 < length;
		if (pair && text[i + 1] != quote)
			*to++ = text[i++];
		else if (pair)
			i++;
		*to++ = text[i];
	}
	*to = '\0';
	return copy;
}

/* NULL: the quotes do not end. */
static const char *quoted_value(struct env_file *env)
{
	const char quote = *env->at++;
	const size_t length = quoted_length(env->at, quote);
	if (length == SIZE_MAX)
		return NULL;
	const char *value = unquoted(env->by->arena, env->at, length, quote);
	env->at += length + 1;
	if (quote == '\'')
		return value;
	return interpolate_text(env->by, env->file, expand_escapes(env->by->arena, value));
}

/* The rest of the line, without a comment. */
static const char *plain_value(struct env_file *env)
{
	const size_t line = strcspn(env->at, "\n");
	char *value = arena_strndup(env->by->arena, env->at, line);
	char *comment = strstr(value, " #");
	env->at += line;
	if (comment)
		*comment = '\0';
	for (size_t length = strlen(value); length && strchr(SPACES, value[length - 1]);)
		value[--length] = '\0';
	return interpolate_text(env->by, env->file, value);
}

static bool is_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!(text[i] & 0x80) && !strchr("_.-[]0123456789abcdefghijklmnopqrstuvwxyz"
						 "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
						 text[i]))
			return false;
	return length > 0;
}

/* Reads a statement; false: it and the rest are invalid. */
static bool statement_read(struct env_file *env)
{
	size_t length = strcspn(env->at, "=:\n");
	const char *name = env->at, *value = "";
	const bool inherited = name[length] != '=' && name[length] != ':';
	env->at += length + !inherited;
	while (length && strchr(SPACES, name[length - 1]))
		length--;
	if (!is_name(name, length))
		return false;
	name = arena_strndup(env->by->arena, name, length);
	if (inherited)
		return true;
	env->at += strspn(env->at, SPACES);
	value = *env->at == '"' || *env->at == '\'' ? quoted_value(env) : plain_value(env);
	if (value)
		assign(env, name, value);
	return value != NULL;
}

/* To the next statement; false: there is none. */
static bool statement_find(struct env_file *env)
{
	env->at += strspn(env->at, SPACES "\n");
	while (*env->at == '#') {
		env->at += strcspn(env->at, "\n");
		env->at += strspn(env->at, SPACES "\n");
	}
	if (strncmp(env->at, "export", 6) == 0 && strchr(SPACES, env->at[6]) && env->at[6])
		env->at += 6 + strspn(env->at + 6, SPACES);
	return *env->at != '\0';
}

void env_file_read(struct interpolation *by, const char *file, const char *text,
		   const json_t *environment, json_t *variables)
{
	struct env_file env = {.by = by,
			       .file = file,
			       .at = text,
			       .environment = environment,
			       .variables = variables};
	while (statement_find(&env)) {
		const char *line = env.at;
		if (statement_read(&env))
			continue;
		by->problem(by->data, file,
			    arena_printf(by->arena, "cannot be read from `%.*s` on",
					 (int)(strcspn(line, "\n") < 80 ? strcspn(line, "\n") : 80),
					 line));
		return;
	}
}
