// ApiVersions: made from the table that also dispatches. A version that is not known is answered in
// version 0 with the list (KIP-511); a broker that closes instead loses its clients.
#include "protocol/k18_api_versions.h"

#include <array>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::ErrorCode;

bool is_software_name(std::string_view text) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || !letter_or_digit(text.front()) || !letter_or_digit(text.back())) return false;
  return std::ranges::all_of(text,
                             [&](char c) { return letter_or_digit(c) || c == '-' || c == '.'; });
}

// Protocols that clients take up only when the cluster as a whole has them: consumer groups by
// KIP-848 and transactions by KIP-890.
struct Feature {
  std::string_view name;
  std::int16_t last = 0;
};
constexpr std::array kFeatures{Feature{"group.version", 1}, Feature{"transaction.version", 2}};

// Older clients take a feature that begins with 0 for a broken answer (KAFKA-17011).
constexpr std::int16_t kFeaturesFromZeroSince = 4;

ApiVersionsResponse list_of(const ApiTable& table, std::int16_t version) {
  ApiVersionsResponse response;
  for (const auto& [key, entry] : table.entries())
    response.api_keys.push_back({key, entry.api.advertised_first, entry.api.last});
  // They never change while this program runs, so one epoch does for all.
  response.finalized_features_epoch = 0;
  for (const Feature& feature : kFeatures) {
    if (version >= kFeaturesFromZeroSince)
      response.supported_features.push_back({feature.name, 0, feature.last});
    response.finalized_features.push_back({feature.name, feature.last, feature.last});
  }
  return response;
}

void answer_api_versions(Broker& broker, Call<ApiVersionsRequest, ApiVersionsResponse> call) {
  ApiVersionsResponse response;
  const bool named = call.version() < 3 || (is_software_name(call->client_software_name) &&
                                            is_software_name(call->client_software_version));
  if (named)
    response = list_of(broker.apis(), call.version());
  else
    response.error_code = ErrorCode::invalid_request;
  call.answer(response);
}

}  // namespace

void answer_unknown_api_versions(Broker& broker, RawCall raw) {
  Call<ApiVersionsRequest, ApiVersionsResponse> call(std::move(raw), {});
  ApiVersionsResponse response;
  response.error_code = ErrorCode::unsupported_version;
  const auto& own = broker.apis().find(protocol::kApiVersions.key)->api;
  response.api_keys.push_back({own.key, own.advertised_first, own.last});
  call.answer_in(0, response);
}

void register_api_versions(ApiTable& table) { table.add(&answer_api_versions); }

}  // namespace adbrook::broker
