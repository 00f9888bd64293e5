#include "app/routes_page.h"

#include <algorithm>
#include <string>

#include "app/page_files.h"
#include "base/text.h"

namespace adbrook::app {
namespace {

// Scripts and styles from here only and none inside the page; the page talks to nobody else and
// nobody may frame it.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Whether "gzip;q=0.5, br" names the coding and does not rule it out by a weight of 0.
bool accepts(std::string_view accept_encoding, std::string_view coding) {
  while (!accept_encoding.empty()) {
    const std::size_t comma = accept_encoding.find(',');
    std::string_view one = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(comma == std::string_view::npos ? accept_encoding.size()
                                                                  : comma + 1);
    const std::size_t semicolon = one.find(';');
    const std::string_view weight =
        semicolon == std::string_view::npos ? "" : one.substr(semicolon + 1);
    one = trimmed(one.substr(0, semicolon));
    if (!http::equal_without_case(one, coding)) continue;
    const std::string_view q = trimmed(weight);
    return !(q.starts_with("q=0") && q.find_first_not_of("0.", 2) == std::string_view::npos);
  }
  return false;
}

void choose_form(http::Response& response, const PageFile& file, std::string_view accepted) {
  response.fields.emplace_back("Vary", "Accept-Encoding");
  if (accepts(accepted, "br")) {
    response.fields.emplace_back("Content-Encoding", "br");
    response.body = file.brotli;
  } else if (accepts(accepted, "gzip")) {
    response.fields.emplace_back("Content-Encoding", "gzip");
    response.body = file.gzip;
  } else {
    response.body = file.plain;
  }
}

// An asset's name changes with its bytes, so it never has to be asked for again; the page is asked
// for each time and answered by 304 when it is the same.
http::Response file_response(const PageFile& file, const http::Request& request) {
  http::Response response{.content_type = std::string(file.content_type)};
  const std::string tag = "W/\"" + std::string(file.tag) + "\"";
  response.fields.emplace_back("ETag", tag);
  response.fields.emplace_back(
      "Cache-Control", file.path == "/" ? "no-cache" : "public, max-age=31536000, immutable");
  response.fields.emplace_back("Content-Security-Policy", kPolicy);
  response.fields.emplace_back("Referrer-Policy", "no-referrer");
  response.fields.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  if (request.fields.find("If-None-Match").find(tag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  choose_form(response, file, request.fields.find("Accept-Encoding"));
  return response;
}

void answer_file(const http::Request& request, http::Responder responder) {
  const auto files = page_files();
  const auto file = std::ranges::find(files, std::string_view(request.path), &PageFile::path);
  if (file != files.end()) return responder.send(file_response(*file, request));
  responder.send(http::problem_response(
      http::Problem{.status = 404,
                    .title = {},
                    .detail = "no such file of the dashboard: '" + printable(request.path) +
                              "'; reload the page, it may be of another version"}));
}

}  // namespace

void add_page_routes(http::Router& router) {
  router.add(http::Method::get, "/", answer_file);
  router.add(http::Method::get, "/assets/{name}", answer_file);
}

}  // namespace adbrook::app
