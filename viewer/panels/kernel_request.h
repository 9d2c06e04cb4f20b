// A request, drawn: its lanes in a row, and below them the sectors that they touch in global memory,
// or the banks that serve them in shared memory.
#pragma once

#include <string>

#include "viewer/kernels/request.h"
#include "viewer/ui.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {

/// A request, taken apart once and drawn often.
struct RequestScene {
  TraceLine line;
  TraceRequest request;
  SectorPicture sectors;  // of global memory
  BankPicture banks;      // of shared memory
};
[[nodiscard]] RequestScene scene_of(const TraceLine& line, const TraceRequest& request);

/// "Warp 0 loads x, 4 bytes a lane.", and what that costs against the ideal.
[[nodiscard]] std::string request_sentence(const RequestScene& scene);
[[nodiscard]] std::string cost_sentence(const RequestScene& scene);

/// "2 blocks of 64 threads", of this kernel; empty when it is not there.
[[nodiscard]] std::string launch_text(const TraceVersion& version, const std::string& kernel);

/// A lane's part, step by step: "lane 5 loads x[37]".
[[nodiscard]] Explanation explain_lane(const RequestScene& scene, int lane);

/// From 0 to 31, told apart and in order, on both grounds.
[[nodiscard]] Rgba lane_colour(const Theme& theme, int lane);

/// Draw into `rect`; hovering tells a lane's arithmetic. Probes "kernels/lane/5", "kernels/memory".
/// `lane` is the lane under the mouse, −1 for none: the caller keeps it from frame to frame.
void draw_request(Ui& ui, const Rect& rect, const RequestScene& scene, int& lane);

}  // namespace tpp::viewer
