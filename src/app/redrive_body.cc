#include "app/redrive_body.h"

#include <optional>

#include "ads/click_topology.h"
#include "base/hex.h"
#include "base/text.h"

namespace adbrook::app {
namespace {

using ads::Checked;
using ads::Reason;

constexpr std::size_t kRedriveDetailMax = 300;

struct Parts {
  std::optional<Uuid> letter;
  std::optional<ads::EventKind> as;
  std::optional<std::string> text;
  bool is_value = false;
};

Checked<void> put_text(const serde::JsonField& field, std::string_view text, Parts& parts) {
  if (parts.text)
    return std::unexpected(
        ads::refuse(field.key, Reason::duplicate_field, {}, "either text or hex, once"));
  parts.is_value = field.key == "hex";
  if (!parts.is_value) {
    parts.text = std::string(text);
    return {};
  }
  const auto bytes = hex_decode(text);
  if (!bytes)
    return std::unexpected(ads::refuse(field.key, Reason::wrong_type, text,
                                       "two hex digits for each byte, like 0000000001"));
  parts.text = std::string(as_text(*bytes));
  return {};
}

Checked<void> put(const serde::JsonField& field, Parts& parts) {
  const auto text = field.value.string();
  if (!text)
    return std::unexpected(ads::refuse(field.key, Reason::wrong_type, field.value.raw, "text"));
  if (field.key == "letter") {
    parts.letter = Uuid::parse(*text);
    if (parts.letter) return {};
    return std::unexpected(ads::refuse(field.key, Reason::bad_uuid, *text, "the letter's id"));
  }
  if (field.key == "as") {
    if (*text == ads::kImpressionsTopic) parts.as = ads::EventKind::impression;
    if (*text == ads::kClicksTopic) parts.as = ads::EventKind::click;
    if (parts.as) return {};
    return std::unexpected(
        ads::refuse(field.key, Reason::wrong_type, *text, "impressions or clicks"));
  }
  if (field.key == "text" || field.key == "hex") return put_text(field, *text, parts);
  return std::unexpected(ads::refuse(field.key, Reason::unknown_field, {},
                                     "a redrive has letter, as, and text or hex"));
}

}  // namespace

Checked<Redrive> read_redrive(const serde::JsonElement& element) {
  if (!element.fields)
    return std::unexpected(ads::Refusal{
        {}, Reason::unreadable, printable(element.fields.error().message, kRedriveDetailMax)});
  Parts parts;
  for (const serde::JsonField& field : *element.fields)
    if (auto done = put(field, parts); !done) return std::unexpected(std::move(done.error()));
  const std::string_view missing = !parts.letter ? "letter" : !parts.as ? "as" : "text";
  if (!parts.letter || !parts.as || !parts.text)
    return std::unexpected(ads::refuse(missing, Reason::missing_field, {}, "required"));
  return Redrive{*parts.letter, *parts.as, std::move(*parts.text), parts.is_value};
}

}  // namespace adbrook::app
