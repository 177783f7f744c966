#include "wattmesh/identity.hpp"

namespace wattmesh {

Error loadIdentity(const Port& port, Records& records, bool isRandomStuck, Identity& identity) {
  if (!records.read(RecordKey::identity, identity.secret, keyBytes)) {
    if (isRandomStuck) return Error::randomStuck;
    port.random(port.context, identity.secret, keyBytes);
    const Error error = records.write(RecordKey::identity, identity.secret, keyBytes);
    if (error != Error::none) return error;
  }
  publicKeyOf(port, identity.secret, identity.publicKey);
  nodeIdOf(port, identity.publicKey, identity.nodeId);
  return Error::none;
}

}  // namespace wattmesh
