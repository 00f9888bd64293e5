// SaslHandshake and SaslAuthenticate: nobody has to prove who they are on this listener, which is
// said by the protocol's own code.
#include "protocol/k17_sasl_handshake.h"

#include "broker/api_list.h"
#include "broker/broker.h"
#include "protocol/k36_sasl_authenticate.h"

namespace adbrook::broker {
namespace {

using protocol::SaslAuthenticateRequest;
using protocol::SaslAuthenticateResponse;
using protocol::SaslHandshakeRequest;
using protocol::SaslHandshakeResponse;

void answer_handshake(Broker&, Call<SaslHandshakeRequest, SaslHandshakeResponse> call) {
  call.answer({.error_code = ErrorCode::illegal_sasl_state});
}

void answer_authenticate(Broker&, Call<SaslAuthenticateRequest, SaslAuthenticateResponse> call) {
  call.answer({.error_code = ErrorCode::illegal_sasl_state,
               .error_message = "this listener takes no credentials; use PLAINTEXT"});
}

}  // namespace

void register_sasl(ApiTable& table) {
  table.add(&answer_handshake);
  table.add(&answer_authenticate);
}

}  // namespace adbrook::broker
