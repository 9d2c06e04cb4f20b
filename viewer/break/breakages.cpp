// The table of breakages. The numbers in the explanations are of the default model on the fables, 150
// steps from the start, one seed (tests/viewer/damage_test.cpp, "damage: of the default model").
#include "viewer/break/breakages.h"

namespace tpp::viewer {
namespace {

const std::vector<Breakage>& table() {
  using enum Measure;
  static const std::vector<Breakage> all{
      {.id = "not-divided",
       .title = "a gradient not divided",
       .what = "The gradient of the loss is not divided by the number of targets: the sum of the "
               "rows' gradients, not their mean.",
       .chapter = "05_softmax",
       .wrong = "5.2=not_divided",
       .question =
           {.text = "Every gradient becomes as many times longer as a batch has targets: 2,048, "
                    "unless you changed it. What happens to B's loss?",
            .choices = {"It explodes", "It falls far more slowly", "It goes almost as before"},
            .right = 2,
            .explanation =
                "Clipping shortens every gradient to norm 1, and AdamW divides by the size "
                "of recent gradients anyway. So the mistake hides: only the gradient norm, "
                "and the clip marks at every step, give it away."},
       .measures = {loss, gradient_norm, clipped},
       .claims = {{loss, 0.9, 1.1}, {gradient_norm, 100}},
       .panel = "gradients",
       .look = "In the gradients panel, every step of B has a clip mark."},
      {.id = "no-scale",
       .title = "no 1/√K",
       .what = "The products q·k are not divided by √K before the softmax:  P = softmax(q·k), not "
               "softmax(q·k / √{D|K}).",
       .chapter = "06_attention",
       .wrong = "6.1=no_scale",
       .question = {.text = "Without 1/√K the logits are 5.7 times larger. What changes most?",
                    .choices = {"The loss: B learns far less",
                                "The rows of attention become sharper", "Nothing can be seen"},
                    .right = 1,
                    .explanation =
                        "Larger logits make a sharper softmax: the entropy of the rows falls by "
                        "about half. The loss hardly notices. With 32 features a head and small "
                        "first weights, the products stay small enough to learn from; the scale "
                        "matters for wide heads."},
       .measures = {loss, entropy, sharpest},
       .claims = {{loss, 0.9, 1.1}, {entropy, 0, 0.8}},
       .panel = "attention",
       .look =
           "Compare the maps of A and B in the attention panel: under each stands its entropy."},
      {.id = "mask-one-more",
       .title = "a mask off by one",
       .what = "Query t sees the keys 0 … t + 1: one too many, its own next token.",
       .chapter = "06_attention",
       .wrong = "6.1=mask_one_more",
       .question =
           {.text = "Every position now sees one key too many: the token that it has to "
                    "predict. What does the training loss of B do?",
            .choices = {"It falls far below A's", "It stays like A's", "It rises above A's"},
            .right = 0,
            .explanation =
                "It nearly reaches 0, and so does the validation loss: the answer stands in "
                "the input, and attention learns to copy it. Only writing tells the truth. "
                "There is no next token to copy from then, and B's text is noise. A loss "
                "that is too good is a bug."},
       .measures = {loss, validation, copied},
       .claims = {{loss, 0, 0.5}},
       .panel = "samples",
       .look = "The loss of B falls to almost nothing; read what B writes."},
      {.id = "mask-one-less",
       .title = "a mask without itself",
       .what = "Query t sees the keys 0 … t − 1 only: it does not see its own token.",
       .chapter = "06_attention",
       .wrong = "6.1=mask_one_less",
       .question = {.text = "The mask is off by one to the other side: no position sees itself. "
                            "What does the loss of B do?",
                    .choices = {"It stays far above A's", "It goes almost as before",
                                "It becomes NaN"},
                    .right = 1,
                    .explanation =
                        "A token need not attend to itself: its own row is added to the result by "
                        "the residual stream anyway. In this model the loss even ends a little "
                        "lower. A mistake that nothing shows is found by a test, not by a curve."},
       .measures = {loss, validation, entropy},
       .claims = {{loss, 0.85, 1.1}},
       .panel = "attention",
       .look = "In the attention maps of B the diagonal is empty."},
      {.id = "post-norm",
       .title = "norms on the stream",
       .what =
           "The norm stands on the residual stream, behind each sum:  x ← norm(x + f(x)), as in "
           "2017, and the learning rate stays as it is.",
       .chapter = "08_layernorm",
       .swaps = {{"placement", "post"}},
       .question = {.text =
                        "B is the same model with post-norm. At this learning rate, how does it "
                        "learn?",
                    .choices = {"Like A", "A little slower",
                                "It stops at the loss of letter frequencies"},
                    .right = 2,
                    .explanation =
                        "Its loss stays near 3.1: the loss of somebody who knows how often each "
                        "letter comes and nothing else. Every gradient passes through every norm. "
                        "Post-norm wants about a tenth of the learning rate that pre-norm bears."},
       .measures = {loss, gradient_norm, entropy},
       .claims = {{loss, 1.3}},
       .panel = "norms",
       .view = "stream",
       .look = "In the norms panel, B's stream has the same size at every depth: each norm sets it "
               "anew."},
      {.id = "no-warmup",
       .title = "no warm-up",
       .what =
           "The first step already has the largest learning rate; A reaches it after 100 steps.",
       .chapter = "10_optimizer",
       .swaps = {{"warmup", "0"}},
       .question =
           {.text = "B begins with the full learning rate. Where is its loss after 150 steps?",
            .choices = {"Below A's: it had larger steps", "Where A's is", "Above A's"},
            .right = 2,
            .explanation =
                "The first steps go furthest when nothing is known yet. B is ahead for a few "
                "steps, then stuck, and far behind at the end. Its attention has become "
                "sharp before it had learned what to look for: see the entropy."},
       .measures = {loss, validation, entropy, update_size},
       .claims = {{loss, 1.1}},
       .panel = "loss",
       .look = "In the loss panel, B falls first and is overtaken."},
      {.id = "beta2-small",
       .title = "β₂ too small",
       .what = "Adam's memory of squared gradients is two steps long:  v ← 0.5·v + 0.5·g²,  not "
               "0.95·v + 0.05·g².",
       .chapter = "10_optimizer",
       .swaps = {{"beta2", "0.5"}},
       .question = {.text =
                        "With β₂ = 0.5 each weight's step is divided by the size of its last two "
                        "gradients. What does the loss do?",
                    .choices = {"It falls faster: the rates adapt faster", "Nothing special",
                                "It falls, and then jumps up"},
                    .right = 2,
                    .explanation =
                        "A weight whose last gradients happened to be small gets a huge step. Most "
                        "steps go well; then one does not, and the loss jumps far above where it "
                        "began. β₂ must remember for longer than gradients are quiet."},
       .measures = {worst_loss, loss, update_size},
       .claims = {{worst_loss, 1.5}},
       .panel = "loss",
       .look = "In the loss panel, look for B's spikes."},
      {.id = "no-clipping",
       .title = "no clipping",
       .what = "Long gradients are not shortened to norm 1.",
       .chapter = "10_optimizer",
       .swaps = {{"clip", "0"}},
       .question = {.text = "A clips three of four steps. B never clips. How do they compare?",
                    .choices = {"B's loss explodes", "Almost alike", "B learns much faster"},
                    .right = 1,
                    .explanation =
                        "Hardly anything, because AdamW sets the size of its steps itself: a "
                        "gradient twice as long makes the same step. Clipping is insurance against "
                        "the rare bad batch. At a learning rate of 0.01 this model needs it."},
       .measures = {loss, worst_loss, clipped},
       .claims = {{loss, 0.9, 1.15}},
       .panel = "gradients",
       .look = "In the gradients panel the clip marks are gone, and little else is."},
      {.id = "decay-in-moments",
       .title = "decay inside Adam",
       .what =
           "The weight decay is added to the gradient:  g + λ·w  goes through the moments. That "
           "is Adam with L2, not AdamW.",
       .chapter = "10_optimizer",
       .wrong = "10.1=decay_in_moments",
       .question = {.text = "The same λ = 0.1, but inside the gradient. What happens?",
                    .choices = {"Almost the same: it is the same pull", "B learns next to nothing",
                                "B's weights grow"},
                    .right = 1,
                    .explanation =
                        "Gradients are tiny here, so λ·w is most of what Adam sees. It divides by "
                        "that size, and the pull to zero becomes a full step for every weight. The "
                        "W in AdamW is this difference."},
       .measures = {loss, entropy, update_size},
       .claims = {{loss, 1.3}},
       .panel = "loss",
       .look = "In the loss panel, B stays near the frequencies of letters."},
      {.id = "betas-swapped",
       .title = "β₁ and β₂ swapped",
       .what = "β₁ = 0.9 belongs to the mean of the gradients, β₂ = 0.95 to that of their squares. "
               "In B they have changed places.",
       .chapter = "10_optimizer",
       .wrong = "10.1=betas_swapped",
       .question = {.text = "0.9 and 0.95 look alike. What do they do when swapped?",
                    .choices = {"Nothing: they are almost the same number", "B learns more slowly",
                                "B becomes NaN"},
                    .right = 1,
                    .explanation =
                        "1 − β says how fast the memory fades: 20 steps and 10. A direction "
                        "remembered for longer than its size overshoots. A bug that only costs is "
                        "the hardest to find."},
       .measures = {loss, validation, update_size},
       .claims = {{loss, 1.05}},
       .panel = "loss",
       .look = "In the loss panel, B follows A from above."},
      {.id = "rate-too-large",
       .title = "a rate ten times too large",
       .what = "The largest learning rate is 0.03, not 0.003.",
       .chapter = "10_optimizer",
       .swaps = {{"lr", "0.03"}},
       .question =
           {.text = "Ten times the learning rate, with warm-up and clipping as before. Where is "
                    "B after 150 steps?",
            .choices = {"Far ahead of A", "Behind A, and hardly moving", "At NaN"},
            .right = 1,
            .explanation =
                "While the warm-up keeps the rate small, B is ahead. Then its steps are too "
                "long: each row of attention ends up on a single key, where the softmax has "
                "almost no slope left to learn by. Nothing became NaN; it is only stuck."},
       .measures = {loss, sharpest, update_size},
       .claims = {{loss, 1.2}},
       .panel = "attention",
       .look = "In the attention maps of B each row has one bright cell."},
      {.id = "no-projection",
       .title = "half a gradient of RMSNorm",
       .what =
           "The backward pass treats the row's size as a constant:  dx = g·r, and the part along "
           "the row is not taken off.",
       .chapter = "12_rmsnorm",
       .wrong = "12.2=no_projection",
       .question =
           {.text = "One term of a gradient is missing, in every norm. The forward pass is right. "
                    "What happens to B?",
            .choices = {"It learns a little more slowly", "It learns next to nothing",
                        "The loss falls faster"},
            .right = 1,
            .explanation =
                "The missing term cancels the push along the row, which the norm would undo "
                "anyway. Without it the gradients grow on their way through the layers, and B "
                "ends at the frequencies of letters."},
       .measures = {loss, gradient_norm, entropy},
       .claims = {{loss, 1.3}},
       .panel = "gradients",
       .look = "In the gradients panel, B's norms are larger than A's."},
      {.id = "no-position",
       .title = "no positions",
       .what = "Nothing tells the model how far a key is: no RoPE, and nothing in its place.",
       .chapter = "13_rope",
       .swaps = {{"position", "none"}},
       .question = {.text = "Without positions, what can B still learn?",
                    .choices = {"As much as A: the mask tells it the order",
                                "Little more than which letter follows which", "Nothing at all"},
                    .right = 1,
                    .explanation =
                        "A key says which letter it is, and no longer where. Each position knows "
                        "itself, so pairs of letters can be learned: the bigram line in the loss "
                        "panel. The mask gives away how much text came before, and in time a model "
                        "can make something of that; not in 150 steps."},
       .measures = {loss, validation, entropy},
       .claims = {{loss, 1.1}},
       .panel = "attention",
       .look = "In the attention maps of B no head finds the letter before: the rows stay flat."},
      {.id = "rope-backwards",
       .title = "RoPE turns backwards",
       .what =
           "The sine has the wrong sign: every pair turns with the clock instead of against it.",
       .chapter = "13_rope",
       .wrong = "13.1=sine_sign",
       .question = {.text = "Queries and keys both turn the wrong way. What does that cost?",
                    .choices = {"B cannot tell before from behind", "The loss of B explodes",
                                "Nothing"},
                    .right = 2,
                    .explanation =
                        "A score depends on the difference of two angles. Where both change sign, "
                        "so does the difference, and the weights learn the mirrored directions "
                        "instead. It only hurts a checkpoint that was trained the other way."},
       .measures = {loss, validation, entropy},
       .claims = {{loss, 0.95, 1.05}},
       .panel = "rope",
       .look = "The two loss curves lie on each other."},
  };
  return all;
}

}  // namespace

std::span<const Breakage> breakages() { return table(); }

bool holds(const Claim& claim, double a, double b) {
  const double times = b / a;
  return times >= claim.least && times <= claim.most;
}

const Breakage* find_breakage(std::string_view id) {
  for (const Breakage& b : table()) {
    if (b.id == id) return &b;
  }
  return nullptr;
}

}  // namespace tpp::viewer
