#include "container_engine/http_request.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { BAD_REQUEST = -400, METHOD = -405, LENGTH = -411, TOO_LARGE = -413, HEAD_LARGE = -431 };

/* A part of the head. */
struct span {
	const char *at;
	size_t size;
};

static bool span_is(struct span span, const char *text)
{
	return span.size == strlen(text) && strncasecmp(span.at, text, span.size) == 0;
}

/* What is before the first `end`; `rest` begins behind it. */
static struct span span_until(struct span *rest, char end)
{
	const char *found = memchr(rest->at, end, rest->size);
	const struct span span = {rest->at, found ? (size_t)(found - rest->at) : rest->size};
	const size_t taken = span.size + (found != NULL);
	*rest = (struct span){rest->at + taken, rest->size - taken};
	return span;
}

static struct span span_trim(struct span span)
{
	while (span.size && isspace((unsigned char)*span.at))
		span = (struct span){span.at + 1, span.size - 1};
	while (span.size && isspace((unsigned char)span.at[span.size - 1]))
		span.size--;
	return span;
}

/* "POST /NetworkDriver.Join HTTP/1.1" */
static int line_parse(struct span line, struct http_request *ret)
{
	const struct span method = span_until(&line, ' '), path = span_until(&line, ' ');
	if (!span_is(line, "HTTP/1.1") || !path.size || *path.at != '/' ||
	    path.size > HTTP_PATH_MAX || memchr(path.at, '\0', path.size))
		return BAD_REQUEST;
	if (!span_is(method, "POST"))
		return METHOD;
	memcpy(ret->path, path.at, path.size);
	ret->path[path.size] = '\0';
	return 1;
}

static int length_parse(struct span value, size_t *ret)
{
	size_t length = 0;
	for (size_t i = 0; i < value.size; i++) {
		if (!isdigit((unsigned char)value.at[i]))
			return BAD_REQUEST;
		length = length * 10 + (size_t)(value.at[i] - '0');
		if (length > HTTP_BODY_MAX)
			return TOO_LARGE;
	}
	*ret = length;
	return value.size ? 1 : BAD_REQUEST;
}

static int field_parse(struct span line, struct http_request *ret)
{
	const struct span name = span_until(&line, ':'), value = span_trim(line);
	if (span_is(name, "Content-Length"))
		return length_parse(value, &ret->body_size);
	if (span_is(name, "Transfer-Encoding"))
		return LENGTH;
	if (span_is(name, "Connection") && span_is(value, "close"))
		ret->closes = true;
	return 1;
}

static int head_parse(struct span head, struct http_request *ret)
{
	int status = line_parse(span_trim(span_until(&head, '\n')), ret);
	while (status > 0 && head.size)
		status = field_parse(span_trim(span_until(&head, '\n')), ret);
	return status;
}

int http_request_parse(const char *bytes, size_t size, struct http_request *ret)
{
	static const char end[] = "\r\n\r\n";
	const size_t searched = size < HTTP_HEAD_MAX ? size : HTTP_HEAD_MAX;
	const char *found = memmem(bytes, searched, end, strlen(end));
	*ret = (struct http_request){0};
	if (!found)
		return size < HTTP_HEAD_MAX ? 0 : HEAD_LARGE;
	const size_t head = (size_t)(found - bytes);
	const int status = head_parse((struct span){bytes, head}, ret);
	if (status < 0)
		return status;
	ret->body = found + strlen(end);
	ret->size = head + strlen(end) + ret->body_size;
	return ret->size <= size;
}
