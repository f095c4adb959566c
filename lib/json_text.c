#include "lib/json_text.h"

#include "lib/escape.h"

#include <stdatomic.h>
#include <string.h>

static atomic_bool lacking;

json_t *json_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *value = json_string(text);
	if (value)
		return value;
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	return json_string(escape(arena, text, strlen(text)));
}

void json_put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		lacking = true;
}

void json_push(json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) < 0)
		lacking = true;
}

bool json_whole(void)
{
	return !lacking;
}

json_t *json_sentences(const char *const *sentences, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_push(list, json_text(sentences[i]));
	return list;
}
