// `sign-url`: a link that records a click and goes on to its target.
#include "ads/edge_query.h"
#include "ads/event_text.h"
#include "app/click_key.h"
#include "app/commands.h"
#include "base/text.h"
#include "http/query.h"
#include "io/real_file_system.h"

namespace adbrook::app {
namespace {

// The query of the link without its signature.
Result<std::string> unsigned_query(const SignArguments& sign) {
  http::Query query;
  for (const auto& pair : sign.parameters) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorKind::invalid,
                  "--param '" + printable(pair) + "': it must be NAME=VALUE, like campaignId=7");
    query.add(pair.substr(0, equals), pair.substr(equals + 1));
  }
  query.add("to", sign.target);
  return query.text();
}

}  // namespace

int run_sign_url(const Arguments& arguments, Console& console) {
  const SignArguments& sign = arguments.sign;
  if (const auto target = ads::check_target(sign.target); !target) {
    console.complain("the target '" + printable(sign.target) + "': " + describe(target.error()));
    return kExitUsage;
  }
  const auto loaded = load_settings(arguments.settings);
  if (!loaded) return fail_command(console, loaded.error());
  io::RealFileSystem files;
  const auto key =
      load_click_key(files, sign.data.empty() ? loaded->settings.engine.data : sign.data);
  if (!key) return fail_command(console, key.error());
  const auto text = unsigned_query(sign);
  if (!text) return fail_command(console, text.error());
  ads::EventText storage;
  const auto query = ads::Query::parse(*text, storage);
  if (!query) {
    console.complain(describe(query.error()));
    return kExitUsage;
  }
  std::string base = sign.base;
  while (base.ends_with('/')) base.pop_back();
  console.print(base + "/v1/click?" + *text + "&sig=" + ads::sign_query(*query, *key) + "\n");
  return kExitDone;
}

}  // namespace adbrook::app
