// DescribeCluster: this broker, under the address by which the client can reach it.
#include "protocol/k60_describe_cluster.h"

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;

constexpr std::int8_t kBrokers = 1;

void answer_describe_cluster(Broker& broker,
                             Call<DescribeClusterRequest, DescribeClusterResponse> call) {
  DescribeClusterResponse response;
  response.endpoint_type = call->endpoint_type;
  response.cluster_id = broker.cluster_id();
  if (call->endpoint_type != kBrokers) {
    response.error_code = ErrorCode::mismatched_endpoint_type;
    response.error_message = "this is a broker, not a controller";
    return call.answer(response);
  }
  const Endpoint& endpoint = call.client().advertised;
  response.controller_id = broker.node_id();
  response.brokers.push_back(
      {.broker_id = broker.node_id(), .host = endpoint.host, .port = endpoint.port});
  call.answer(response);
}

}  // namespace

void register_describe_cluster(ApiTable& table) { table.add(&answer_describe_cluster); }

}  // namespace adbrook::broker
