#include "ads/import_user_agent.h"

#include <span>

namespace adbrook::ads {
namespace {

struct Sign {
  std::string_view token;  // as it stands in the header
  std::string_view name;
};

// The first token that is found decides: browsers name those they imitate behind their own name.
constexpr Sign kBrowsers[] = {
    {"Edg/", "Edge"},
    {"Edge/", "Edge"},
    {"OPR/", "Opera"},
    {"Opera Mini", "Opera Mini"},
    {"Opera", "Opera"},
    {"SamsungBrowser", "Samsung Internet"},
    {"YaBrowser", "Yandex"},
    {"UCBrowser", "UC Browser"},
    {"IEMobile", "Internet Explorer"},
    {"MSIE", "Internet Explorer"},
    {"Trident/", "Internet Explorer"},
    {"Silk", "Silk"},
    {"SeaMonkey", "SeaMonkey"},
    {"FxiOS", "Firefox"},
    {"Firefox", "Firefox"},
    {"CriOS", "Chrome"},
    {"Chromium", "Chromium"},
    {"Chrome", "Chrome"},
    {"BlackBerry", "BlackBerry"},
    {"BB10", "BlackBerry"},
    {"Android", "Android Browser"},
    {"Safari", "Safari"},
    {"AppleWebKit", "WebKit"},
};
constexpr Sign kPlatforms[] = {
    {"Windows Phone", "Windows Phone"},
    {"Windows", "Windows"},
    {"iPhone", "iOS"},
    {"iPad", "iOS"},
    {"iPod", "iOS"},
    {"Android", "Android"},
    {"CrOS", "Chrome OS"},
    {"Mac OS X", "macOS"},
    {"Macintosh", "macOS"},
    {"BlackBerry", "BlackBerry"},
    {"BB10", "BlackBerry"},
    {"Linux", "Linux"},
};

std::string_view first_of(std::string_view header, std::span<const Sign> signs) {
  for (const Sign& sign : signs)
    if (header.find(sign.token) != std::string_view::npos) return sign.name;
  return {};
}

}  // namespace

UserAgent read_user_agent(std::string_view header) {
  return {first_of(header, kBrowsers), first_of(header, kPlatforms)};
}

}  // namespace adbrook::ads
