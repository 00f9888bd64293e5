#include "app/routes_page.h"

#include <gtest/gtest.h>

#include <string>

#include "app/page_files.h"

namespace adbrook::app {
namespace {

// Asks the routes without a connection.
http::Response ask(std::string_view path, std::string_view accept = "",
                   std::string_view known_tag = "") {
  Metrics metrics;
  http::Router router(metrics);
  add_page_routes(router);
  http::Request request;
  request.path = path;
  if (!accept.empty()) request.fields.add("Accept-Encoding", accept);
  if (!known_tag.empty()) request.fields.add("If-None-Match", known_tag);
  auto match = router.match(request);
  if (match.answer) return std::move(*match.answer);
  http::Response answer;
  match.route->handler(std::move(request), http::Responder([&](http::Response response) {
                         answer = std::move(response);
                       }));
  return answer;
}

std::string field(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.fields)
    if (key == name) return value;
  return "";
}

TEST(PageRoutes, the_page_names_only_files_that_are_served) {
  const http::Response page = ask("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  std::size_t named = 0;
  for (auto at = page.body.find("/assets/"); at != std::string::npos;
       at = page.body.find("/assets/", at + 1)) {
    const std::string path = page.body.substr(at, page.body.find('"', at) - at);
    EXPECT_EQ(ask(path).status, 200) << path;
    ++named;
  }
  EXPECT_GE(named, 4U);
  EXPECT_EQ(ask("/assets/none.js").status, 404);
}

TEST(PageRoutes, nothing_inside_the_page_may_run_and_nothing_elsewhere_be_asked) {
  const http::Response page = ask("/");
  const std::string policy = field(page, "Content-Security-Policy");
  EXPECT_NE(policy.find("default-src 'none'; script-src 'self'; style-src 'self';"),
            std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(policy.find("http"), std::string::npos);
  EXPECT_EQ(page.body.find("<script>"), std::string::npos);
  EXPECT_EQ(page.body.find("style="), std::string::npos);
}

TEST(PageRoutes, every_file_comes_in_the_form_the_client_reads) {
  for (const PageFile& file : page_files()) {
    EXPECT_EQ(ask(file.path).body, file.plain);
    EXPECT_EQ(ask(file.path, "gzip;q=0, br;q=0.0, identity").body, file.plain);
    const http::Response gzip = ask(file.path, "deflate, GZIP;q=0.8");
    EXPECT_EQ(field(gzip, "Content-Encoding"), "gzip");
    EXPECT_EQ(gzip.body, file.gzip);
    const http::Response brotli = ask(file.path, "gzip, deflate, br, zstd");
    EXPECT_EQ(field(brotli, "Content-Encoding"), "br");
    EXPECT_EQ(brotli.body, file.brotli);
    EXPECT_EQ(field(brotli, "Vary"), "Accept-Encoding");
  }
}

TEST(PageRoutes, what_did_not_change_is_not_sent_again) {
  const std::string tag = field(ask("/"), "ETag");
  EXPECT_EQ(ask("/", "br", "W/\"other\", " + tag).status, 304);
  EXPECT_EQ(ask("/", "br", "W/\"other\"").status, 200);
  EXPECT_EQ(field(ask("/"), "Cache-Control"), "no-cache");
  for (const PageFile& file : page_files().subspan(1))
    EXPECT_EQ(field(ask(file.path), "Cache-Control"), "public, max-age=31536000, immutable");
}

}  // namespace
}  // namespace adbrook::app
