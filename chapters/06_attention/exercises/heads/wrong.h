// The usual mistakes. Each is what would stand in one of the holes.

// [wrong reshaped "The memory is cut as if it lay (B, H, T, K). It lies (B, T, H, K): a reshape alone gives each head pieces of several positions; heads and positions must change places too."]
// [hole place]
const Index flat = ((b * n.H + h) * n.T + t) * n.K + k;
return {flat / (n.H * n.K), flat % (n.H * n.K)};
// [/hole]
// [/wrong]

// [wrong interleaved "The heads are interleaved, one column in turn for each. A head owns K neighbouring columns."]
// [hole place]
return {b * n.T + t, k* n.H + h};
// [/hole]
// [/wrong]

// [wrong sequence_forgotten "The sequence is forgotten: all of them read the first one's rows."]
// [hole place]
return {t, h* n.K + k};
// [/hole]
// [/wrong]

// [wrong sequences_interleaved "The sequences are interleaved, one row in turn for each. A sequence owns T neighbouring rows."]
// [hole place]
return {t * n.B + b, h* n.K + k};
// [/hole]
// [/wrong]

// [wrong sequence_by_heads "The row counts the heads of earlier sequences too. That is how the probabilities lie; here the heads stand side by side in one row."]
// [hole place]
return {(b * n.H + h) * n.T + t, h* n.K + k};
// [/hole]
// [/wrong]

// [wrong stride_heads "A head's columns start at h · H. They start after h heads of K features each: h · K."]
// [hole place]
return {b * n.T + t, h* n.H + k};
// [/hole]
// [/wrong]

// [wrong row_column_swapped "Row and column have changed places: a position is a row, a feature is a column."]
// [hole place]
return {h * n.K + k, b* n.T + t};
// [/hole]
// [/wrong]

// [wrong head_forgotten "The head is forgotten: all heads write their probabilities over each other."]
// [hole row]
return b * n.T + t;
// [/hole]
// [/wrong]

// [wrong heads_first "All sequences of the first head come first here. The order is sequence, then head, then query."]
// [hole row]
return (h * n.B + b) * n.T + t;
// [/hole]
// [/wrong]

// [wrong queries_first "The heads of one query stand together here. The order is sequence, then head, then query: a head's T rows stay together."]
// [hole row]
return (b * n.T + t) * n.H + h;
// [/hole]
// [/wrong]

// [wrong row_by_features "The features K are counted, not the heads: each sequence has H heads of T rows."]
// [hole row]
return (b * n.K + h) * n.T + t;
// [/hole]
// [/wrong]
