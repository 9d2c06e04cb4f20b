// Every widget once, with data that is easy to judge by eye: for the test that writes its picture.
#pragma once

#include "viewer/ui.h"

namespace tpp::viewer {

/// Fills the display, panels and all. Keeps its data between calls in `state`.
struct GalleryState;
GalleryState* make_gallery();
void free_gallery(GalleryState* state);
void draw_widget_gallery(Ui& ui, GalleryState& state);

}  // namespace tpp::viewer
