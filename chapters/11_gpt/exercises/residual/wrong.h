// The usual mistakes. Each is what would stand in one of the holes.

// [wrong norm_on_the_stream "pre-norm: the norms stand on the stream, so what passes is normed each time. A norm belongs on the way into the sublayer; the sum takes x as it was."]
// [hole pre]
x = norm1(x);
x = add(x, attention(x));
x = norm2(x);
return add(x, feed_forward(x));
// [/hole]
// [/wrong]

// [wrong pre_is_post "pre-norm: this is the post-norm block. The norm stands before the sublayer, not on the sum."]
// [hole pre]
x = norm1(add(x, attention(x)));
return norm2(add(x, feed_forward(x)));
// [/hole]
// [/wrong]

// [wrong norm_of_the_branch "pre-norm: the norm stands behind the sublayer. It belongs before it: attention(norm(x))."]
// [hole pre]
x = add(x, norm1(attention(x)));
return add(x, norm2(feed_forward(x)));
// [/hole]
// [/wrong]

// [wrong no_residual "pre-norm: the sums are missing. A sublayer adds to the stream, it does not replace it."]
// [hole pre]
x = attention(norm1(x));
return feed_forward(norm2(x));
// [/hole]
// [/wrong]

// [wrong no_norm "pre-norm: the norms are missing on the way into the sublayers."]
// [hole pre]
x = add(x, attention(x));
return add(x, feed_forward(x));
// [/hole]
// [/wrong]

// [wrong attention_lost "pre-norm: the second sum starts from the old x, so what attention wrote reaches the result only through the feed-forward layer."]
// [hole pre]
const Var<T> middle = add(x, attention(norm1(x)));
return add(x, feed_forward(norm2(middle)));
// [/hole]
// [/wrong]

// [wrong parallel "pre-norm: both sublayers read the old x. That is the parallel block; here the feed-forward layer reads the stream behind attention."]
// [hole pre]
return add(add(x, attention(norm1(x))), feed_forward(norm2(x)));
// [/hole]
// [/wrong]

// [wrong one_norm "pre-norm: norm1 is used in both halves. Each half has a norm of its own."]
// [hole pre]
x = add(x, attention(norm1(x)));
return add(x, feed_forward(norm1(x)));
// [/hole]
// [/wrong]

// [wrong residual_after_norm "pre-norm: the normed value is added instead of the stream: n + f(n). The sum takes x as it was before the norm."]
// [hole pre]
const Var<T> first = norm1(x);
x = add(first, attention(first));
return add(x, feed_forward(norm2(x)));
// [/hole]
// [/wrong]

// [wrong counted_twice "pre-norm: x is added twice at the end. Behind attention, the stream holds it already."]
// [hole pre]
const Var<T> middle = add(x, attention(norm1(x)));
return add(add(middle, feed_forward(norm2(middle))), x);
// [/hole]
// [/wrong]

// [wrong post_is_pre "post-norm: this is the pre-norm block. The norm stands on the sum."]
// [hole post]
x = add(x, attention(norm1(x)));
return add(x, feed_forward(norm2(x)));
// [/hole]
// [/wrong]

// [wrong post_norm_of_the_branch "post-norm: the norm is of the sublayer alone, and x is added after it. It is of the sum."]
// [hole post]
x = add(x, norm1(attention(x)));
return add(x, norm2(feed_forward(x)));
// [/hole]
// [/wrong]

// [wrong post_no_residual "post-norm: the sums are missing: norm(x + f(x)), not norm(f(x))."]
// [hole post]
x = norm1(attention(x));
return norm2(feed_forward(x));
// [/hole]
// [/wrong]

// [wrong post_old_stream "post-norm: the second sum starts from the old x. It starts from what the first norm gave."]
// [hole post]
const Var<T> middle = norm1(add(x, attention(x)));
return norm2(add(x, feed_forward(middle)));
// [/hole]
// [/wrong]

// [wrong post_norm_once "post-norm: the first norm is missing. Each half ends with its own."]
// [hole post]
x = add(x, attention(x));
return norm2(add(x, feed_forward(x)));
// [/hole]
// [/wrong]
