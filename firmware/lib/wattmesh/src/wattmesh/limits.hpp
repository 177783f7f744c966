// Every fixed maximum of the core, in one place. PROTOCOL.md, "Limits", fixes those that other implementations must share.
#pragma once
#include <cstddef>
#include <cstdint>

namespace wattmesh {

constexpr size_t frameBytesMax = 250;
constexpr size_t linkHeaderBytes = 6;
constexpr size_t linkMacBytes = 8;
constexpr size_t bodyBytesMax = frameBytesMax - linkHeaderBytes - linkMacBytes;  // 236
constexpr size_t sectionHeaderBytes = 2;  // kind and length, of sections in ROUTED frames and in packets
constexpr size_t packetBytesMin = 13;
constexpr size_t packetBytesMax = 212;
constexpr size_t hopsMax = 20;
constexpr size_t envelopeBytesMax = 512;
constexpr size_t batchRowsMax = 64;
constexpr size_t ackRangesMax = 4;
constexpr size_t custodyEntriesMax = 16;
constexpr size_t eventsMax = 4;        // that wait for the head-end, and so many at once; then one in a while:
constexpr uint32_t eventPeriodS = 15;

constexpr size_t neighboursMax = 32;
constexpr size_t gatewayNeighboursMax = 128;     // in a dense cell most hang on the gateway itself
constexpr size_t membersMax = 64;
constexpr size_t gatewayMembersMax = 512;
constexpr size_t queueFramesMax = 32;
constexpr size_t meterQueueBytes = 3584;  // of items in a queue: 32 of one row each, 15 of the longest
constexpr size_t hubQueueBytes = 5120;
constexpr size_t heldBytesPerMember = 56;  // of packets that a hub holds: an acknowledgement without ranges takes 54
constexpr size_t controlBytes = 1024;  // of frames of their own: 8 of the usual length, 4 of the longest
constexpr size_t meterControlBytes = 768;
constexpr size_t gatewayQueueBytes = queueFramesMax * bodyBytesMax;
constexpr size_t queueOwnReserve = 2;  // items of a queue that are never taken by what others hand over: a handshake of RSA has two
constexpr size_t queueOwnReserveBytes = queueOwnReserve * (2 + packetBytesMax);
constexpr size_t sentBatchesMax = 16;
constexpr size_t gatewayWindowMax = 16;
constexpr size_t joinersMax = 8;                 // nodes in the middle of joining, per proxy
constexpr size_t gatewayJoinersMax = 64;         // and in the whole network
constexpr size_t joinItemsMax = 4;               // M1 of others waiting in a queue
constexpr size_t hubRoutePointersMax = 128;      // nodes below a hub
constexpr size_t gatewayRoutePointersMax = 512;  // nodes of a network, as far as a gateway remembers
constexpr size_t duplicateCacheMax = 64;
constexpr size_t justPassedMax = 32;     // packets of which a relay knows that it has just taken them on
constexpr size_t pollsSeenMax = 8;       // polls of which a node knows that they have come
constexpr size_t spoolPacketsMax = 256;  // in a hub's custody that wait in flash
constexpr size_t childrenMax = 32;       // battery leaves of one parent
constexpr size_t childPacketsMax = 16;   // packets that wait for them to wake
constexpr size_t heldBytesMax = 88;      // of one that is held: an acknowledgement of four ranges
constexpr size_t sleepBytesMax = 484;     // of what a leaf takes through deep sleep: an ESP8266 keeps 512 B, 28 of them are the board's
constexpr size_t sleepBatchesMax = 2;     // of its packets without custody
constexpr size_t childBytes = 704;       // of all that are held: 13 acknowledgements without ranges, 8 of four
constexpr size_t logTextBytesMax = 200;
constexpr size_t timeSamplesMax = 12;             // pairs of local time and that of its source
constexpr size_t timeOffsetsMax = 4;              // and of network time

constexpr size_t sectorBytes = 4096;   // erase unit of the serial flash of ESP32 and ESP8266
constexpr size_t logSectorsMax = 128;  // 128 sectors of 102 rows: 9 days of one-minute rows
constexpr size_t spoolSectors = 17;    // of 16 packets; the one that is erased next is empty

}  // namespace wattmesh
