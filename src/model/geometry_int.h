/* What the files of the geometry module share. */
#ifndef MODEL_GEOMETRY_INT_H
#define MODEL_GEOMETRY_INT_H

#include "model/geometry.h"
#include "model/geometry_shape.h"

struct geometry {
    struct geometry_shape shape;
};

#endif
