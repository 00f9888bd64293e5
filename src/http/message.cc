#include "http/message.h"

#include <algorithm>

namespace adbrook::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::delete_: return "DELETE";
    case Method::patch: return "PATCH";
    case Method::options: return "OPTIONS";
    case Method::other: break;
  }
  return "other";
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

void Fields::add(std::string_view name, std::string_view value) {
  places_.push_back({static_cast<std::uint32_t>(text_.size()),
                     static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

std::string_view Fields::find(std::string_view wanted) const {
  for (const Place place : places_)
    if (equal_without_case(name(place), wanted)) return value(place);
  return {};
}

std::size_t Fields::count(std::string_view wanted) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      places_, [&](Place place) { return equal_without_case(name(place), wanted); }));
}

void Fields::clear() {
  text_.clear();
  places_.clear();
}

std::string_view Request::parameter(std::string_view name) const {
  for (const PathParameter& parameter : parameters)
    if (parameter.name == name) return parameter.value;
  return {};
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

Response json_response(std::string body) {
  if (!body.ends_with('\n')) body += '\n';
  return {.content_type = "application/json", .body = std::move(body)};
}

}  // namespace adbrook::http
